# The benchmark report of the broker's variants, and of what `more` adds to its matrix. `start` is what its script does
# first.
{ base, broker, executables }:
{ more ? { }, start ? "" }:
let
  matrix = {
    baseline = "broker";
    generator = "${broker.packages.broker-static}/bin/broker";
    least = "${executables.least}/bin/least";
    surveys = map (survey: "${survey}/bin/survey") (builtins.attrValues executables.surveys);
    variants =
      map
        (name: {
          inherit name;
          inherit (broker.variants.${name}) label;
          shipped = name == "broker-static";
          allocations = "${broker.built.${name}.allocations}/bin/allocations";
          program = "${broker.built.${name}.program}/bin/broker";
        })
        (builtins.attrNames broker.native)
      ++ map
        (name: {
          inherit name;
          inherit (broker.references.${name}) label;
          allocations = "${broker.referenceAllocations.${name}}/bin/allocations";
          program = null;
        })
        (builtins.attrNames broker.references);
  };
in
base.derive {
  name = "bench";
  inherit start;
  matrix = builtins.toJSON (matrix // more);
  inherit (base) shell checkers natsServer;
  inherit (executables) report;
  script = ''
    mkdir -p $out/bin
    echo "$matrix" >$out/matrix.json
    cat >$out/bin/bench <<BENCH
    #!$shell/bin/bash
    $start
    exec $report/bin/report --matrix $out/matrix.json --strace $checkers/bin/strace \
      --nats-server $natsServer/usr/sbin/nats-server "\$@"
    BENCH
    chmod +x $out/bin/bench
  '';
}

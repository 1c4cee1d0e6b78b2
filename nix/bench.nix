# The benchmark report of Broker's variants. `more` is added to its matrix; `start` is shell text that runs first.
{ base, broker, executables }:
{ more ? { }, start ? "" }:
let
  inherit (builtins) attrNames attrValues toJSON;
  inherit (broker) variants native built references referenceBenchmarks;
  matrix = {
    baseline = "broker";
    generator = "${broker.packages.broker-static}/bin/broker";
    least = "${executables.least}/bin/least";
    surveys = map (survey: "${survey}/bin/survey") (attrValues executables.surveys);
    variants =
      map
        (name: {
          inherit name;
          inherit (variants.${name}) label shipped;
          allocations = "${built.${name}.benchmark}/bin/allocations";
          program = "${built.${name}.program}/bin/broker";
        })
        (attrNames native)
      ++ map
        (name: {
          inherit name;
          inherit (references.${name}) label;
          allocations = "${referenceBenchmarks.${name}}/bin/allocations";
          program = null;
        })
        (attrNames references);
  };
in
base.derive {
  name = "bench";
  inherit start;
  matrix = toJSON (matrix // more);
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

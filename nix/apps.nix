# What `nix run` starts.
{ base, broker }:
let
  inherit (base) derive shell updaters;
  app = program: { type = "app"; inherit program; };
  script = name: tools: file: app "${derive {
    inherit name file shell updaters;
    run = builtins.concatStringsSep ":" (map (tool: "${tool}/bin") (tools ++ [ shell ]));
    script = ''
      mkdir -p $out/bin
      {
        echo "#!$shell/bin/bash"
        # Nix itself is the caller's.
        echo "export PATH=$run:\$PATH DEBIAN_KEYRING=$updaters/usr/share/keyrings/debian-archive-keyring.gpg"
        tail -n +2 $file
      } >$out/bin/$name
      chmod +x $out/bin/$name
    '';
  }}/bin/${name}";
  # What the report measures, as its program wants it.
  matrix = builtins.toJSON {
    baseline = "broker";
    generator = "${broker.packages.broker-static}/bin/broker";
    least = "${broker.least}/bin/least";
    surveys = map (survey: "${survey}/bin/survey") (builtins.attrValues broker.surveys);
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
  bench = derive {
    name = "bench";
    inherit matrix shell;
    inherit (base) checkers reference;
    inherit (broker) report;
    script = ''
      mkdir -p $out/bin
      echo "$matrix" >$out/matrix.json
      cat >$out/bin/bench <<BENCH
      #!$shell/bin/bash
      exec $report/bin/report --matrix $out/matrix.json --strace $checkers/bin/strace \
        --nats-server $reference/usr/sbin/nats-server "\$@"
      BENCH
      chmod +x $out/bin/bench
    '';
  };
in
{
  bench = app "${bench}/bin/bench";
  inspect = app "${broker.inspect}/bin/inspect";
  default = app "${broker.packages.broker-static}/bin/broker";
}
  # The locks are for every machine, and x86_64-linux has all of what they are renewed with.
  // (if base.system != "x86_64-linux" then { } else {
  update = script "update" [ ] ./update.sh;
  # What `update -- debian` runs: apart, because it is built from the very crates and compiler that the rest renews.
  update-debian = script "update-debian" [ broker.debianLock updaters ] ./base/debian/update.sh;
  update-seed = script "update-seed" [ ] ./base/update-seed.sh;
})

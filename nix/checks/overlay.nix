# The overlay adds its names to a package set, replaces none of the set's names, and rejects a system that it cannot build on.
{ derive, overlay, system, packages, lib }:
let
  set = system: { stdenv.hostPlatform = { inherit system; }; hello = "there before"; };
  with' = system:
    let previous = set system; in previous // overlay (with' system) previous;
  ours = with' system;
  elsewhere = builtins.tryEval (with' "x86_64-darwin").broker-static.name;
in
assert ours.hello == "there before";
assert builtins.attrNames (overlay { } (set system)) == [ "broker-static" "brokerLib" ];
assert ours.broker-static.drvPath == packages.broker-static.drvPath;
assert builtins.attrNames ours.brokerLib == builtins.attrNames lib;
assert ! elsewhere.success;
derive { name = "overlay"; script = "echo it fits >$out"; }

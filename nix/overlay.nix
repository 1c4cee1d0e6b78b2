# For users of nixpkgs: Broker as `broker-static`, and the library (docs/lib.md) as `brokerLib`, in their package set.
{ packages, lib }:
# Nix wants these two names.
# deadnix: skip
final: prev:
let
  system = prev.stdenv.hostPlatform.system;
  of = what: what.${system} or (throw "Broker's flake builds on ${builtins.concatStringsSep " and " (builtins.attrNames what)}, and not on ${system}");
in
{
  inherit (of packages) broker-static;
  brokerLib = of lib;
}

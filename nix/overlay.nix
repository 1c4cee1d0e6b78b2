# For users of nixpkgs: Broker as `broker-static`, and the library (docs/lib.md) as `brokerLib`, in their package set.
{ packages, lib }:
# Nix requires these two names.
# deadnix: skip
final: prev:
let
  system = prev.stdenv.hostPlatform.system;
  forSystem = output: output.${system} or (throw "Broker's flake builds on ${builtins.concatStringsSep " and " (builtins.attrNames output)}, and not on ${system}");
in
{
  inherit (forSystem packages) broker-static;
  brokerLib = forSystem lib;
}

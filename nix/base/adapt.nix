# Adapts a script to the machine that builds. The scripts contain the names of x86_64 and are used unchanged there; on another
# architecture the result is their text with that architecture's names.
{ system }:
file:
let
  architectures = import ./architectures.nix;
  names = architecture: [ architecture.interpreter architecture.clang architecture.cpu ];
in
if system == "x86_64-linux" then file
else builtins.replaceStrings (names architectures.x86_64-linux) (names architectures.${system}) (builtins.readFile file)

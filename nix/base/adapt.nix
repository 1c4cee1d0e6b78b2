# A script for the machine that builds. The scripts are written in the words of x86_64, and are taken as they are there; for
# another architecture the result is their text with its words.
{ system }:
file:
let
  architectures = import ./architectures.nix;
  words = architecture: [ architecture.interpreter architecture.clang architecture.cpu ];
in
if system == "x86_64-linux" then file
else builtins.replaceStrings (words architectures.x86_64-linux) (words architectures.${system}) (builtins.readFile file)

# The environment variables that cargo, rustc and build scripts read to build for `selected`, a list of target triples. They are
# the same in builds and in the development shell.
{ cc, targets }:
selected:
let
  inherit (builtins) foldl' replaceStrings;
  inherit (import ./strings.nix) upper;
  of = target:
    let
      inherit (targets.${target}) linker clang environment;
      name = replaceStrings [ "-" ] [ "_" ] target;
    in
    {
      "CARGO_TARGET_${upper name}_LINKER" = linker;
      "CC_${name}" = clang;
      "AR_${name}" = "${cc}/bin/ar";
    } // environment;
in
foldl' (all: target: all // of target) { } selected

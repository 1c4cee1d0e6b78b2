# Each choice of routines and allocator for the C library of a static program, both architectures, and a program with its own
# allocator.
{ lib }:
let
  check = name: arguments: expected: {
    name = "parts-${name}";
    value = lib.checkStatic ({
      package = lib.buildStatic ({ name = "parts-${name}"; src = ../../templates/workspace; package = "words"; } // arguments);
      run = [ ];
    } // expected);
  };
in
builtins.listToAttrs [
  (check "mimalloc" { allocator = "mimalloc"; } { })
  (check "system" { allocator = "system"; } { })
  (check "stock" { musl = "stock"; } { })
  (check "aarch64" { target = "aarch64-unknown-linux-musl"; } { })
  (check "own" { src = ./own; package = "own"; } { malloc = null; })
]

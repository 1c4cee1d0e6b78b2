# Each choice of parts that a static program's C library can have, on both architectures, and a program that brings its own.
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

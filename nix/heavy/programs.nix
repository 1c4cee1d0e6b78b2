# The third-party programs that the benchmark compares are static, contain the routines and the allocator, and start.
{ lib, programs }:
let
  check = name: package: {
    name = "programs-${name}";
    value = lib.checkStatic package;
  };
in
builtins.listToAttrs (
  map (name: check name programs.built.${name}.buildStatic) (builtins.attrNames programs.built)
  ++ [ (check "ripgrep-aarch64" (lib.buildStatic (programs.projects.ripgrep // { target = "aarch64-unknown-linux-musl"; }))) ]
)

# Broker and its benchmark in every variant, and the checks on them.
{ base, rust, root }:
let
  variants = import ./variants.nix;
  manifests = rust.manifests { inherit root; };
  crates = rust.crates {
    inherit manifests;
    lock = root + "/Cargo.lock";
    hash = "sha256-ofIkksM1Wpk8YrMT95zHEWkEHs+7dQjUV9bvsmtvmGE=";
  };
  package = import ./package.nix { inherit rust root crates manifests; };
  built = builtins.mapAttrs package variants;
in
{
  packages =
    builtins.mapAttrs (_: build: build.program) built
    // builtins.listToAttrs (map
      (name: { name = variants.${name}.allocations; value = built.${name}.allocations; })
      (builtins.attrNames variants))
    // { default = built.broker-static.program; };
}

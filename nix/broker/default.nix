# Broker and its benchmark in every variant, and the tests of them.
{ derive, lib, rust, workspace }:
let
  inherit (builtins) attrNames filter listToAttrs mapAttrs;
  inherit (workspace) root;

  variants = import ./variants.nix { inherit (rust) host foreign; };
  references = import ./references.nix;
  package = import ./package.nix { inherit lib workspace; };
  built = mapAttrs package variants;
  # The variants that run on the machine that builds.
  native = listToAttrs (filter ({ value, ... }: rust.targets.${value.target}.emulator == "")
    (map (name: { inherit name; value = variants.${name}; }) (attrNames variants)));
  # What is put up for download, on every architecture.
  released = map (name: built.${name}.released) (filter (name: variants ? ${name}) [ "broker-static" "broker-static-aarch64" ]);
in
{
  inherit variants native references built;

  # The tests, for any of the variants.
  harness = import ./harness.nix { inherit derive lib; native = built.broker-jemalloc; };

  # The benchmark of each reference.
  referenceAllocations = mapAttrs
    (name: { dependenciesOf, features, ... }:
      built.${dependenciesOf}.benchmark { name = "allocations-${name}"; inherit features; })
    references;

  packages =
    mapAttrs (_: build: build.program) built
    // listToAttrs (map
      (name: { name = variants.${name}.allocations; value = built.${name}.allocations; })
      (attrNames variants))
    // {
      default = built.broker-static.program;
      sbom = lib.sbomOf built.broker-static.released;
      release = lib.releaseOf { files = { "README.md" = root + "/README.md"; LICENSE = root + "/LICENSE"; }; } released;
      image = lib.imageOf { command = [ "serve" "--listen" "0.0.0.0:4222" ]; config.ExposedPorts."4222/tcp" = { }; } released;
    };
}

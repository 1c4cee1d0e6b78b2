# Broker and its benchmark in every variant, and the tests of them.
{ derive, lib, rust, workspace }:
let
  inherit (builtins) attrNames filter listToAttrs mapAttrs;
  inherit (workspace) root;

  variants = import ./variants.nix { inherit (rust) host foreign; };
  references = import ./references.nix;
  package = import ./package.nix { inherit derive lib workspace; };
  built = mapAttrs (name: variant: package name variant (if variant ? base then built.${variant.base} else null)) variants;
  namesOf = condition: filter (name: condition variants.${name}) (attrNames variants);
  # The variants that run on the machine that builds.
  native = listToAttrs (map
    (name: { inherit name; value = variants.${name}; })
    (namesOf ({ target, ... }: rust.targets.${target}.emulator == "")));
  # The projects of which a release has programs, one for each architecture.
  shipped = map (name: built.${name}.released) (namesOf ({ shipped, ... }: shipped));
in
{
  inherit variants native references built;

  # The file with jemalloc for each target. In the variable JEMALLOC_OVERRIDE it spares a build that is not about jemalloc a minute.
  jemalloc = {
    glibc = built.broker-jemalloc.jemalloc;
    musl = built.broker-static.jemalloc;
    aarch64 = built.broker-static-aarch64.jemalloc;
  };

  # The tests, for any of the variants.
  harness = import ./harness.nix { inherit derive lib; build = built.broker-jemalloc; };

  # The benchmark of each reference.
  referenceBenchmarks = mapAttrs
    (name: { dependenciesOf, features, ... }:
      built.${dependenciesOf}.benchmarkWith { name = "allocations-${name}"; inherit features; })
    references;

  packages =
    mapAttrs (_: build: build.program) built
    // listToAttrs (map
      (name: { name = variants.${name}.benchmark; value = built.${name}.benchmark; })
      (attrNames variants))
    // {
      default = built.broker-static.program;
      sbom = lib.sbomOf built.broker-static.released;
      release = lib.releaseOf { files = { "README.md" = root + "/README.md"; LICENSE = root + "/LICENSE"; }; } shipped;
      image = lib.imageOf { command = [ "serve" "--listen" "0.0.0.0:4222" ]; config.ExposedPorts."4222/tcp" = { }; } shipped;
    };
}

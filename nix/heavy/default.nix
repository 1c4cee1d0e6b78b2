# What takes longer than a newcomer should wait for, and downloads more: `nix build .#heavy` is all of it.
{ base, rust, lib, broker, programs, root }:
let
  inherit (broker) manifests crates published rebuiltSeeds;
  inherit (base) derive emulator;
  source = paths: rust.source { inherit root paths; };
  curing = source [ "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
  workspace = { inherit manifests crates; source = source [ "crates" ]; };
  # The licence of each crate is a link to that of all.
  packaged = workspace // { source = source [ "crates" "LICENSE" ]; };
  # What x86_64-linux builds for every machine: other architectures, and the older releases of Rust, which are locked for it
  # alone.
  there = {
    tests-aarch64 = import ./aarch64.nix { cargo = rust.cargoWith rust.aarch64; inherit emulator workspace; };
    cxx = import ./cxx.nix {
      cargo = rust.cargoWith rust.aarch64;
      inherit (base) libcxx libcxx-aarch64 emulator;
      inherit manifests crates;
      source = curing;
    };
    ways = import ./ways.nix {
      cargo = rust.cargoWith rust.aarch64;
      inherit (base) cc linkers aarch64 emulator;
      inherit manifests crates;
      source = curing;
    };
    seed = import ./seed.nix { inherit derive; inherit (base) seed; rebuiltSeed = rebuiltSeeds.x86_64-linux; };
    seed-aarch64 = import ./seed-aarch64.nix {
      inherit derive emulator;
      inherit (base.bootstrap-aarch64) seed debs;
      rebuiltSeed = rebuiltSeeds.aarch64-linux;
    };
  }
  // builtins.listToAttrs (map
    (name: { name = "package-${name}"; value = import ./package.nix { inherit rust; workspace = packaged; } name published.${name}; })
    (builtins.attrNames published))
  // import ./broker.nix { inherit derive lib broker; inherit (base) cc glibc adapt; }
  // import ./release.nix { inherit derive emulator lib; target = rust.host.musl; };
in
(if base.architecture.foreign == { } then { } else there)
// import ./dependencies.nix { inherit lib; }
// import ./linkers.nix { inherit base rust lib; }
// import ./parts.nix { inherit lib; }
  // import ./programs.nix { inherit lib programs; }

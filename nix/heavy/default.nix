# What takes longer than a newcomer should wait for, and downloads more: `nix build .#heavy` is all of it.
{ base, rust, lib, workspace, broker, programs }:
let
  inherit (base) derive emulator;
  inherit (workspace) files linked seeds rustVersions;
  # The crates that a project outside the workspace adds.
  added = files (linked.fast-musl ++ linked.sized-jemalloc);
  # What x86_64-linux builds for every machine: other architectures, and the older releases of Rust, which are locked for it
  # alone.
  there = {
    tests-aarch64 = import ./tests-aarch64.nix { cargo = rust.cargoWith rust.toolchains.aarch64; inherit emulator; workspace = files [ "crates" ]; };
    cxx = import ./cxx.nix {
      cargo = rust.cargoWith rust.toolchains.aarch64;
      inherit (base) libcxx libcxx-aarch64 emulator;
      workspace = added;
    };
    ways = import ./ways.nix {
      cargo = rust.cargoWith rust.toolchains.aarch64;
      inherit (base) cc linkers aarch64 emulator;
      workspace = added;
    };
    seed = import ./seed.nix { inherit derive; inherit (base) seed; rebuiltSeed = seeds.x86_64-linux; };
    seed-aarch64 = import ./seed-aarch64.nix {
      inherit derive emulator;
      inherit (base.bootstrap-aarch64) seed debs;
      rebuiltSeed = seeds.aarch64-linux;
    };
  }
  // builtins.listToAttrs (map
    (name: { name = "package-${name}"; value = import ./package.nix { inherit rust; workspace = files [ "crates" "LICENSE" ]; } name rustVersions.${name}; })
    workspace.published)
  // import ./broker-aarch64.nix { inherit derive lib broker; inherit (base) cc glibc adapt; }
  // import ./release.nix { inherit derive emulator lib; target = rust.host.musl; };
in
(if base.architecture.foreign == { } then { } else there)
// import ./dependencies.nix { inherit lib; }
// import ./linkers.nix { inherit base rust lib; }
// import ./parts.nix { inherit lib; }
  // import ./programs.nix { inherit lib programs; }

# The checks that take long and download much: `nix build .#heavy` builds all of them.
{ base, rust, lib, workspace, broker, programs }:
let
  inherit (builtins) listToAttrs;
  inherit (base) derive emulator;
  inherit (broker) jemalloc;
  inherit (workspace) files linked seeds published rustVersions;
  # The crates that a project outside the workspace adds as dependencies.
  added = files (linked.fast-musl ++ linked.sized-jemalloc);
  cargo = rust.cargoWith rust.toolchains.aarch64;
  seedEquality = import ./seed.nix { inherit derive; };

  # Only x86_64-linux builds for other architectures, and has older releases of Rust locked.
  onX86_64 = {
    tests-aarch64 = import ./tests-aarch64.nix { inherit cargo emulator; files = files [ "crates" ]; jemalloc = jemalloc.aarch64; };
    cxx = import ./cxx.nix { inherit cargo jemalloc; inherit (base) libcxx libcxx-aarch64 emulator; files = added; };
    ways = import ./ways.nix { inherit cargo jemalloc; inherit (base) cc linkers aarch64 emulator; files = added; };
    seed = seedEquality "x86_64-linux" base.seed seeds.x86_64-linux;
    seed-aarch64 =
      let inherit (base.bootstrap-aarch64) seed debs;
      in import ./seed-aarch64.nix { inherit derive emulator seed debs; equality = seedEquality "aarch64-linux" seed seeds.aarch64-linux; };
  }
  // listToAttrs (map
    (name: {
      name = "package-${name}";
      # The licence of each crate is a link to LICENSE.
      value = import ./package.nix { inherit rust; files = files [ "crates" "LICENSE" ]; jemalloc = jemalloc.musl; } name rustVersions.${name};
    })
    published)
  // import ./broker-aarch64.nix { inherit derive lib broker; inherit (base) cc glibc adapt; }
  // import ./release.nix { inherit derive emulator lib; target = rust.host.musl; };
in
(if base.architecture.foreign == { } then { } else onX86_64)
// import ./dependencies.nix { inherit lib; target = rust.host.musl; }
// import ./linkers.nix { inherit base rust lib; }
// import ./parts.nix { inherit lib; }
  // import ./programs.nix { inherit lib programs; }

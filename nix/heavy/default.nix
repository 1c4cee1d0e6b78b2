# What takes longer than a newcomer should wait for, and downloads more: `nix build .#heavy` is all of it.
{ base, rust, lib, broker, programs, root }:
let
  inherit (broker) manifests crates;
  source = paths: rust.source { inherit root paths; };
  curing = [ "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
  # What is built for another architecture as well.
  foreign = {
    tests-aarch64 = import ./aarch64.nix {
      cargo = rust.cargoWith rust.aarch64;
      inherit (base) emulator;
      workspace = { inherit manifests crates; source = source [ "crates" "src" "build.rs" "benches" "tests" ]; };
    };
    cxx = import ./cxx.nix {
      cargo = rust.cargoWith rust.aarch64;
      inherit (base) libcxx libcxx-aarch64 emulator;
      inherit manifests crates;
      source = source curing;
    };
  }
  // import ./broker.nix { inherit (base) derive cc glibc adapt; inherit lib broker; source = source [ "crates" "src" "build.rs" "benches" "tests" "fuzz" ]; }
  // import ./release.nix { inherit (base) derive emulator; inherit lib; target = rust.host.musl; };
in
(if base.architecture.foreign == { } then { } else foreign)
// import ./dependencies.nix { inherit lib; }
// import ./linkers.nix { inherit base rust lib; }
// import ./parts.nix { inherit lib; }
  // import ./programs.nix { inherit lib programs; }

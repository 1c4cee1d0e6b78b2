# What takes longer than a newcomer should wait for, and downloads more: `nix build .#heavy` is all of it.
{ base, rust, lib, broker, programs, root }:
let
  inherit (base) emulator libcxx libcxx-aarch64;
  inherit (broker) manifests crates;
  source = paths: rust.source { inherit root paths; };
  curing = [ "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
in
{
  tests-aarch64 = import ./aarch64.nix {
    cargo = rust.cargoWith rust.aarch64;
    inherit emulator;
    workspace = { inherit manifests crates; source = source [ "crates" "src" "build.rs" "benches" "tests" ]; };
  };
  cxx = import ./cxx.nix {
    cargo = rust.cargoWith rust.aarch64;
    inherit libcxx libcxx-aarch64 emulator manifests crates;
    source = source curing;
  };
}
// import ./dependencies.nix { inherit lib; }
// import ./linkers.nix { inherit base lib; }
// import ./parts.nix { inherit lib; }
  // import ./programs.nix { inherit lib programs; }

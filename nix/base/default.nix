# The replacement for nixpkgs: a shell, a C toolchain and a few tools, made from locked Debian packages.
{ system }:
let
  # A committed static program that unpacks Debian packages (crates/seed). A check rebuilds it and compares.
  seedOf = system: builtins.path {
    name = "seed";
    path = ./. + "/seed.${system}";
  };
  seed = seedOf system;
  architectures = import ./architectures.nix;
  architecture = architectures.${system};
  adapt = import ./adapt.nix { inherit system; };
  locked = { lock, ... }: import ./debian/fetch.nix (builtins.fromJSON (builtins.readFile lock));
  debian = locked architecture;
  inherit (debian) sets;

  shell = import ./shell.nix { inherit system seed; debs = sets.shell; };
  derive = import ./derive.nix { inherit system shell; };
  glibc = import ./glibc.nix { inherit derive seed architecture; debs = sets.glibc; };
  patchelf = import ./patchelf.nix { inherit derive seed shell glibc architecture; debs = sets.tools; };
  runnable = import ./runnable.nix { inherit derive seed shell glibc patchelf adapt; };
  cc = import ./cc.nix { inherit runnable adapt; debs = sets.cc; };
  libcxxFor = import ./libcxx.nix { inherit derive cc; archive = debian.sources.llvm-toolchain-22; };

  # For static programs of another architecture.
  arm64 = locked architectures.aarch64-linux;
  aarch64 = import ./aarch64.nix { inherit derive seed cc; debs = sets.aarch64 ++ arm64.sets.musl; };
  foreign = {
    inherit aarch64;
    libcxx-aarch64 = libcxxFor { target = "aarch64-unknown-linux-musl"; clang = "${aarch64}/bin/clang"; };
    emulator = import ./emulator.nix { inherit derive seed; debs = sets.emulator; };
    # What such a machine builds its base from.
    bootstrap-aarch64 = { seed = seedOf "aarch64-linux"; debs = arm64.sets.shell; };
  };
in
{
  inherit system architecture adapt seed debian shell derive glibc patchelf cc;
  libcxx = libcxxFor { target = architecture.rust.musl; clang = "${cc}/bin/clang"; };
  buildTools = import ./buildTools.nix { inherit runnable shell; debs = sets.tools; };
  certificates = runnable { name = "certificates"; debs = sets.certificates; };
  checkers = runnable { name = "checkers"; debs = sets.check; };
  linkers = runnable { name = "linkers"; debs = sets.linkers; };
  perl = import ./perl.nix { inherit runnable shell architecture; debs = sets.perl; };
  cmake = runnable { name = "cmake"; debs = sets.cmake; };
  libclang = import ./libclang.nix { inherit runnable; debs = sets.libclang; };
  natsServer = runnable { name = "reference"; debs = sets.reference; };
  updaters = runnable { name = "updaters"; debs = sets.update; };
}
  // (if architecture.foreign == { } then { } else foreign)

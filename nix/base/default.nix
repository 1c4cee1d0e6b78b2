# What stands in for nixpkgs: a shell, a C toolchain and a few tools, made of locked Debian packages.
{ system }:
let
  # A static program from this repository (crates/seed); a check rebuilds it and compares.
  seed = builtins.path {
    name = "seed";
    path = ./. + "/seed.${system}";
  };
  debian = import ./debian/fetch.nix (builtins.fromJSON (builtins.readFile ./debian/debian.json));
  inherit (debian) sets;
  arm64 = import ./debian/fetch.nix (builtins.fromJSON (builtins.readFile ./debian/arm64/debian.json));

  shell = import ./shell.nix { inherit system seed; debs = sets.shell; };
  derive = import ./derive.nix { inherit system shell; };
  glibc = import ./glibc.nix { inherit derive seed; debs = sets.glibc; };
  patchelf = import ./patchelf.nix { inherit derive seed shell glibc; debs = sets.tools; };
  runnable = import ./runnable.nix { inherit derive seed shell glibc patchelf; };
  cc = import ./cc.nix { inherit runnable; debs = sets.cc; };
  aarch64 = import ./aarch64.nix { inherit derive seed cc; debs = sets.aarch64 ++ arm64.sets.musl; };
  libcxxFor = import ./libcxx.nix { inherit derive cc; archive = debian.sources.llvm-toolchain-22; };
in
{
  inherit system seed debian shell derive glibc patchelf cc aarch64;
  libcxx = libcxxFor { target = "x86_64-unknown-linux-musl"; clang = "${cc}/bin/clang"; };
  libcxx-aarch64 = libcxxFor { target = "aarch64-unknown-linux-musl"; clang = "${aarch64}/bin/clang"; };
  emulator = import ./emulator.nix { inherit derive seed; debs = sets.emulator; };
  tools = import ./tools.nix { inherit runnable shell; debs = sets.tools; };
  certificates = runnable { name = "certificates"; debs = sets.certificates; };
  checkers = runnable { name = "checkers"; debs = sets.check; };
  linkers = runnable { name = "linkers"; debs = sets.linkers; };
  perl = import ./perl.nix { inherit runnable shell; debs = sets.perl; };
  cmake = runnable { name = "cmake"; debs = sets.cmake; };
  libclang = import ./libclang.nix { inherit runnable; debs = sets.libclang; };
  reference = runnable { name = "reference"; debs = sets.reference; };
  updaters = runnable { name = "updaters"; debs = sets.update; };
}

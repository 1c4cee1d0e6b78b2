# A development shell: cargo, rustc, clippy, rustfmt and rust-analyzer, a C compiler, and for static programs the same C
# library as in buildStatic, with libc++ if `cxx` is true. `nix develop` needs a derivation whose builder is named `bash` and
# which has a `$stdenv/setup`.
{ derive, cc, buildTools, host, environment, cxxFor, developToolchain }:
{ name ? "develop"
, targets ? [ host.glibc host.musl ]
, allocator ? "jemalloc"
, musl ? "fast"
, cxx ? false
, nativeInputs ? [ ]
, env ? { }
}:
let
  libcxx = if cxx then cxxFor host.musl true else { };
  stdenv = derive {
    name = "setup";
    script = ''
      mkdir $out
      echo 'unset LC_ALL # a person has a locale' >$out/setup
    '';
  };
in
derive (environment targets // libcxx // env // {
  inherit name stdenv;
  outputs = [ "out" ];
  BUILD_RUSTCFLAGS = if cxx then "-Lnative=${libcxx.libcxx}/lib" else "";
  nativeInputs = [ (developToolchain targets { inherit allocator musl; }) cc buildTools ] ++ nativeInputs;
  script = "echo 'This derivation is for nix develop.' >$out";
})

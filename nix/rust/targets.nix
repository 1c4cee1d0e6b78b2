# The targets that programs are built for, as data: what compiles their C code, and what runs them where this machine
# does not.
{ base }:
let
  inherit (base) cc architecture;
  own = {
    ${architecture.rust.glibc} = {
      # The linker of glibc programs also states where the dynamic linker is (nix/base/cc.nix).
      linker = "${cc}/bin/cc";
      clang = "${cc}/bin/clang";
      libcxx = null;
      static = false;
      # The input of the flake with its standard library.
      std = "rust-std-glibc${architecture.inputs}";
      emulator = "";
      environment = jemalloc architecture.rust.glibc;
    };
    ${architecture.rust.musl} = {
      # rustc brings musl's start files and libc.a itself: a linker is all that it needs.
      linker = "rust-lld";
      clang = "${cc}/bin/clang";
      inherit (base) libcxx;
      static = true;
      std = "rust-std-musl${architecture.inputs}";
      emulator = "";
      environment = jemalloc architecture.rust.musl;
    };
  };
  foreign = {
    aarch64-unknown-linux-musl = {
      linker = "rust-lld";
      clang = "${base.aarch64}/bin/clang";
      libcxx = base.libcxx-aarch64;
      muslRoot = base.aarch64;
      static = true;
      std = architecture.foreign.aarch64-unknown-linux-musl;
      emulator = "${base.emulator}/bin/qemu-aarch64";
      environment = jemalloc "aarch64-unknown-linux-musl" // {
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER = "${base.emulator}/bin/qemu-aarch64";
      };
    };
  };
  # Kernels for aarch64 have pages of 4, 16 or 64 KiB: jemalloc runs where its own are as large at least.
  jemalloc = target:
    if builtins.match "aarch64-.*" target == null then { }
    else { "${upper (builtins.replaceStrings [ "-" ] [ "_" ] target)}_JEMALLOC_SYS_WITH_LG_PAGE" = "16"; };
  inherit (import ./strings.nix) upper;
in
own // builtins.intersectAttrs architecture.foreign foreign

# The targets of programs, as data: the linker, the compiler of C code, the input of the flake with the standard library (`std`),
# and the emulator for programs that this machine cannot run itself.
{ base }:
let
  inherit (base) cc architecture;
  host = {
    ${architecture.rust.glibc} = {
      # The linker of glibc programs also sets the path of the dynamic linker (nix/base/cc.nix).
      linker = "${cc}/bin/cc";
      clang = "${cc}/bin/clang";
      libcxx = null;
      static = false;
      std = "rust-std-glibc${architecture.inputs}";
      emulator = "";
      environment = jemalloc architecture.rust.glibc;
    };
    ${architecture.rust.musl} = {
      # rustc has musl's start files and libc.a, and only needs a linker.
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
  # Kernels for aarch64 have pages of 4, 16 or 64 KiB. jemalloc only runs if its pages are at least as large.
  jemalloc = target:
    if builtins.match "aarch64-.*" target == null then { }
    else { "${upper (builtins.replaceStrings [ "-" ] [ "_" ] target)}_JEMALLOC_SYS_WITH_LG_PAGE" = "16"; };
  inherit (import ./strings.nix) upper;
in
host // builtins.intersectAttrs architecture.foreign foreign

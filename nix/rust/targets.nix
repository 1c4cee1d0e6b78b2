# The targets that programs are built for, as data: what compiles their C code, and what runs them where this machine
# does not.
{ cc, aarch64, emulator, libcxx, libcxx-aarch64 }:
{
  x86_64-unknown-linux-gnu = {
    # The linker of glibc programs also states where the dynamic linker is (nix/base/cc.nix).
    linker = "${cc}/bin/cc";
    clang = "${cc}/bin/clang";
    libcxx = null;
    static = false;
    # The input of the flake with its standard library.
    std = "rust-std-glibc";
    emulator = "";
    environment = { };
  };
  x86_64-unknown-linux-musl = {
    # rustc brings musl's start files and libc.a itself: a linker is all that it needs.
    linker = "rust-lld";
    clang = "${cc}/bin/clang";
    inherit libcxx;
    static = true;
    std = "rust-std-musl";
    emulator = "";
    environment = { };
  };
  aarch64-unknown-linux-musl = {
    linker = "rust-lld";
    clang = "${aarch64}/bin/clang";
    libcxx = libcxx-aarch64;
    muslRoot = aarch64;
    static = true;
    std = "rust-std-musl-aarch64";
    emulator = "${emulator}/bin/qemu-aarch64";
    environment = {
      CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER = "${emulator}/bin/qemu-aarch64";
      # Kernels for aarch64 have pages of 4, 16 or 64 KiB: jemalloc runs where its own are as large at least.
      AARCH64_UNKNOWN_LINUX_MUSL_JEMALLOC_SYS_WITH_LG_PAGE = "16";
    };
  };
}

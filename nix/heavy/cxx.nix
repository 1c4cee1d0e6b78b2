# A project outside the workspace contains C++ and has no settings for musl. It runs, and its C++ library is libc++, with
# Rust's unwinder and fast-musl's malloc.
{ cargo, libcxx, libcxx-aarch64, emulator, files, jemalloc }:
cargo (files // {
  name = "cxx";
  target = "aarch64-unknown-linux-musl";
  inherit emulator;
  libcxx_x86_64 = libcxx;
  libcxx_aarch64 = libcxx-aarch64;
  X86_64_UNKNOWN_LINUX_MUSL_JEMALLOC_OVERRIDE = jemalloc.musl;
  AARCH64_UNKNOWN_LINUX_MUSL_JEMALLOC_OVERRIDE = jemalloc.aarch64;
  CXX_x86_64_unknown_linux_musl = "${libcxx}/bin/clang++";
  CXX_aarch64_unknown_linux_musl = "${libcxx-aarch64}/bin/clang++";
  stranger = ./cxx;
  command = "source ${./outside.sh}; source ${./cxx.sh}";
})

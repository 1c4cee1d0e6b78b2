# A project outside the workspace has C++ in it, and knows nothing of how that is had for musl: it runs, and what it has of
# C++ is libc++, with Rust's unwinder and fast-musl's malloc.
{ cargo, libcxx, libcxx-aarch64, emulator, workspace }:
cargo (workspace // {
  name = "cxx";
  target = "aarch64-unknown-linux-musl";
  inherit emulator;
  libcxx_x86_64 = libcxx;
  libcxx_aarch64 = libcxx-aarch64;
  CXX_x86_64_unknown_linux_musl = "${libcxx}/bin/clang++";
  CXX_aarch64_unknown_linux_musl = "${libcxx-aarch64}/bin/clang++";
  stranger = ./cxx;
  command = "source ${./cxx.sh}";
})

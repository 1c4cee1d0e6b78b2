# What cargo, rustc and build scripts read from the environment to build for either target; the same in builds and in
# the development shell.
{ cc }:
{
  CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER = "${cc}/bin/cc";
  # rustc brings musl's start files and libc.a itself: a linker is all that it needs.
  CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER = "rust-lld";

  CC_x86_64_unknown_linux_gnu = "${cc}/bin/clang";
  CC_x86_64_unknown_linux_musl = "${cc}/bin/clang";
  AR_x86_64_unknown_linux_gnu = "${cc}/bin/ar";
  AR_x86_64_unknown_linux_musl = "${cc}/bin/ar";
}

# Components of a Rust release in one folder. Their executables run on the base's glibc.
{ derive, glibc, patchelf, adapt }:
{ name, components }:
derive {
  inherit name components glibc;
  nativeInputs = [ patchelf ];
  script = adapt ./toolchain.sh;
}

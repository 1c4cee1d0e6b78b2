# Rust's released components in one folder, its executables made to run on the base's glibc.
{ derive, glibc, patchelf, adapt }:
{ name, components }:
derive {
  inherit name components glibc;
  nativeInputs = [ patchelf ];
  script = adapt ./toolchain.sh;
}

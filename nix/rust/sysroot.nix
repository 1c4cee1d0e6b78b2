# A toolchain as builds use it. Its `rustc` and `rustdoc` take the standard library from this sysroot, in which `libcs` replaces
# musl's libc.a of some targets (libc.nix). Everything else is the toolchain's.
#
# Replacing libc.a works with any linker and any rustc flags that a project sets, both in builds and in a shell. A linker wrapper
# or rustc flags would not.
{ derive, shell }:
{ name, toolchain, libcs ? { } }:
derive {
  inherit name toolchain shell;
  libcs = builtins.concatStringsSep "\n" (map (target: "${target} ${libcs.${target}}") (builtins.attrNames libcs));
  script = ./sysroot.sh;
}

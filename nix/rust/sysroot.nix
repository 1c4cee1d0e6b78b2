# A toolchain as builds use it: `rustc` and `rustdoc` take the standard library from here, where musl's libc.a may be
# another (libc.nix) for some targets: `libcs`, by target. All else is the toolchain's.
#
# This is where our routines get into a program, rather than a wrapper of the linker or flags of rustc: it holds whatever
# linker a project names and whatever flags it sets, in a build and in a shell alike.
{ derive, shell }:
{ name, toolchain, libcs ? { } }:
derive {
  inherit name toolchain shell;
  libcs = builtins.concatStringsSep "\n" (map (target: "${target} ${libcs.${target}}") (builtins.attrNames libcs));
  script = ./sysroot.sh;
}

# clang and lld for both targets, without a wrapper: clang reads the configuration file of its target from its own folder. That
# file names the interpreter and library path with which glibc programs run from the store.
{ runnable, adapt, debs }:
let
  script = adapt ./cc.sh;
in
runnable {
  name = "cc";
  inherit debs;
  finish = "source ${if builtins.isPath script then script else builtins.toFile "cc.sh" script}";
}

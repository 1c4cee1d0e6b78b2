# clang and lld for both targets, without a wrapper: clang reads the configuration file of its target next to itself.
# What glibc programs need to run from the store (interpreter, library path) is stated there, once.
{ runnable, adapt, debs }:
let
  script = adapt ./cc.sh;
in
runnable {
  name = "cc";
  inherit debs;
  finish = "source ${if builtins.isPath script then script else builtins.toFile "cc.sh" script}";
}

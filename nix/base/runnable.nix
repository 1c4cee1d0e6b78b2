# Debian packages unpacked into one root whose programs run from the store: each has glibc's dynamic linker as its interpreter
# and the root's libraries as its search path, instead of /lib64 and /usr/lib. `finish` is shell text that runs at the end.
{ derive, seed, shell, glibc, patchelf, adapt }:
{ name, debs, finish ? "" }:
derive {
  inherit name debs seed shell glibc finish;
  nativeInputs = [ patchelf ];
  script = adapt ./runnable.sh;
}

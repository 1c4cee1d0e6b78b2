# libclang, for build scripts that load it: the program that loads a library says nothing of where the libraries of that one
# are, so each says it itself.
{ runnable, debs }:
runnable {
  name = "libclang";
  inherit debs;
  finish = ''
    find $out -type f -name '*.so*' | while read -r file; do
      patchelf --print-rpath "$file" >/dev/null 2>&1 || continue # a linker script
      patchelf --set-rpath "$libraries:$out/usr/lib/llvm-22/lib:$glibc/lib" "$file"
    done
  '';
}

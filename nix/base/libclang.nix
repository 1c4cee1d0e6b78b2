# libclang, for build scripts that load it. The library path of the loading program does not cover the dependencies of a loaded
# library, so each library has its own.
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

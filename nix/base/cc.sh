# shellcheck shell=bash disable=SC2154
# Sourced at the end of runnable.sh. $out has clang, lld and the headers of the C libraries.
llvm=$out/usr/lib/llvm-22/bin

# The linker scripts of glibc name /lib64 and /lib.
ln -s usr/lib64 "$out/lib64"

# clang only passes a flag after `$` to the linker.
for target in x86_64-pc-linux-gnu x86_64-unknown-linux-gnu; do
  cat >"$llvm/$target.cfg" <<CFG
--sysroot=<CFGDIR>/../../../..
-Wno-unused-command-line-argument
-fuse-ld=lld
\$-Wl,--dynamic-linker=$glibc/lib/ld-linux-x86-64.so.2
\$-Wl,-rpath,$glibc/lib
CFG
done

# musl's headers and C library from Debian, in a sysroot of their own. The compiler's support files are those next to glibc's. The
# kernel's headers are in musl's include folder, as on musl distributions.
musl=$out/musl/usr
mkdir -p "$musl/lib"
cp -r "$out/usr/include/x86_64-linux-musl" "$musl/include"
cp -P "$out"/usr/lib/x86_64-linux-musl/*.{a,o} "$musl/lib/"
for headers in linux asm-generic x86_64-linux-gnu/asm; do
  ln -s "$out/usr/include/$headers" "$musl/include/${headers##*/}"
done
cat >"$llvm/x86_64-unknown-linux-musl.cfg" <<CFG
--sysroot=<CFGDIR>/../../../../musl
--gcc-install-dir=<CFGDIR>/../../gcc/x86_64-linux-gnu/14
-Wno-unused-command-line-argument
-fuse-ld=lld
-static
CFG

# The names of tools that build scripts use.
ln -sf ../lib/llvm-22/bin/clang "$out/usr/bin/cc"
ln -sf ../lib/llvm-22/bin/clang "$out/usr/bin/clang"
ln -sf ../lib/llvm-22/bin/ld.lld "$out/usr/bin/ld"
for tool in ar nm objcopy objdump ranlib readelf strip; do
  ln -sf "../lib/llvm-22/bin/llvm-$tool" "$out/usr/bin/$tool"
done

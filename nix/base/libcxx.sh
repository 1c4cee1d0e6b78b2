# shellcheck shell=bash disable=SC2154,SC2086,SC2016
# Builds libc++ (libcxx.nix) in the same way as its CMake files, without CMake and Python. The variables are the derivation's
# attributes; store paths contain no spaces.
headers=$out/include/c++/v1
mkdir -p "$headers" "$out/bin" "$out/lib" "$out/unwind" objects unwind

cp -r "$source/libcxx/include/." "$headers/"
cp "$source"/libcxxabi/include/*.h "$headers/"
chmod -R u+w "$headers"
find "$headers" -name CMakeLists.txt -exec rm {} +
# The files that CMake would generate. A new release may have settings that the file here lacks.
settings() { sed -nE 's/^#(define|cmakedefine|cmakedefine01) (_LIBCPP_[A-Z0-9_]+).*/\2/p' | sort; }
if ! diff -U 0 <(settings <"$headers/__config_site.in") <(sed 's|^/\* #undef \(.*\) \*/|#define \1|' "$site" | settings); then
  echo "nix/base/libcxx/__config_site (+) has other settings than LLVM's own (-)" >&2
  exit 1
fi
rm "$headers"/*.in
cp "$site" "$headers/__config_site"
cp "$source/libcxx/vendor/llvm/default_assertion_handler.in" "$headers/__assertion_handler"
cp "$source/libcxx/LICENSE.TXT" "$out/"

# Assertions and debug information contain paths of headers; a flag removes the store path from them.
cat >"$out/clang++.cfg" <<CFG
-stdlib=libc++
-stdlib++-isystem $headers
-ffile-prefix-map=$headers=/libc++
-Wno-unused-command-line-argument
--unwindlib=none
-L$out/lib
-L$out/unwind
\$-lunwind
CFG
cat >"$out/bin/clang++" <<WRAPPER
#!$CONFIG_SHELL
exec $clang --target=$target --driver-mode=g++ --config=$out/clang++.cfg "\$@"
WRAPPER
chmod +x "$out/bin/clang++"

# Parts that both libraries have are taken from libc++abi. They include operator new and delete, which call malloc and free.
sources=$(cd "$source" && find libcxx/src libcxxabi/src -name '*.cpp' \
  ! -path 'libcxx/src/experimental/*' ! -path 'libcxx/src/pstl/*' ! -path 'libcxx/src/support/*' \
  ! -path libcxx/src/new.cpp ! -path libcxx/src/filesystem/int128_builtins.cpp \
  ! -path 'libcxxabi/src/vendor/*' ! -path libcxxabi/src/cxa_noexception.cpp | sort)
export compiler=$out/bin/clang++ flags="-std=c++23 -O2 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden
  -ffunction-sections -fdata-sections -fstrict-aliasing -ffile-prefix-map=$source=/llvm
  -D_LIBCPP_BUILDING_LIBRARY -D_LIBCXXABI_BUILDING_LIBRARY -DLIBCXX_BUILDING_LIBCXXABI
  -DLIBC_NAMESPACE=__llvm_libc_common_utils -DNDEBUG
  -I$source/libcxx/src -I$source/libcxxabi/include -I$source/libc"
echo "$sources" | xargs -P "$(nproc)" -n 1 bash -euc '
  object=${0//\//-}
  $compiler $flags -c "$source/$0" -o "objects/${object%.cpp}.o"'

# One archive, with the three names that build scripts link.
ar rcsD "$out/lib/libc++.a" objects/*.o
for name in c++abi stdc++; do
  ln -s libc++.a "$out/lib/lib$name.a"
done

optimised="-O2 -fPIC -fvisibility=hidden -fexceptions -ffile-prefix-map=$source=/llvm -D_LIBUNWIND_IS_NATIVE_ONLY -DNDEBUG
  -I$source/libunwind/include"
$compiler $optimised -std=c++17 -fno-exceptions -funwind-tables -fno-rtti -c "$source/libunwind/src/libunwind.cpp" -o unwind/libunwind.o
for name in UnwindLevel1.c UnwindLevel1-gcc-ext.c UnwindRegistersRestore.S UnwindRegistersSave.S; do
  $clang --target=$target $optimised -c "$source/libunwind/src/$name" -o "unwind/$name.o"
done
ar rcsD "$out/unwind/libunwind.a" unwind/*.o

# shellcheck shell=bash disable=SC2154,SC2086
# The variables are the derivation's attributes (runnable.nix); store paths contain no spaces.
$seed "$out" $debs
rm -rf "$out"/usr/share/{doc,man,lintian,locale,bash-completion}
mkdir -p "$out/usr/bin"
# The package base-files has these links.
ln -s usr/bin "$out/bin"
ln -s usr/lib "$out/lib"

# An RPATH, unlike a RUNPATH, also applies to the dependencies of libraries, unless these have a RUNPATH.
libraries=$out/usr/lib/x86_64-linux-gnu
find "$out" -type f -perm -100 | while read -r file; do
  patchelf --print-interpreter "$file" >/dev/null 2>&1 || continue
  if [ "$(od -An -t x1 -j 16 -N 1 "$file")" = " 02" ]; then
    # patchelf cannot lengthen paths in executables with a fixed address (ET_EXEC), so a wrapper passes them to glibc's dynamic
    # linker.
    mv "$file" "$file.fixed"
    echo "#!$shell/bin/bash
exec $glibc/lib/ld-linux-x86-64.so.2 --library-path $libraries:$glibc/lib $file.fixed \"\$@\"" >"$file"
    chmod +x "$file"
  else
    patchelf --set-interpreter "$glibc/lib/ld-linux-x86-64.so.2" \
      --force-rpath --set-rpath "$libraries:$glibc/lib" "$file"
  fi
done
find "$out" -type f -name '*.so*' | while read -r file; do
  if [ -n "$(patchelf --print-rpath "$file" 2>/dev/null)" ]; then
    patchelf --set-rpath "$libraries:$glibc/lib" "$file"
  fi
done

eval "$finish"

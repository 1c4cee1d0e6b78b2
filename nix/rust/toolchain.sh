# shellcheck shell=bash disable=SC2154,SC2086
# The variables are the derivation's attributes (toolchain.nix); store paths contain no spaces.
mkdir -p "$out/lib/rustlib"

for component in $components; do
  while read -r part; do
    from=$component/$part
    if [ -d "$from/lib/rustlib/src" ]; then
      ln -s "$from/lib/rustlib/src" "$out/lib/rustlib/src"
    elif [[ $part == rust-std-* ]]; then
      # The compiler finds a standard library by its path, so a link is enough.
      target=${part#rust-std-}
      mkdir -p "$out/lib/rustlib/$target"
      ln -s "$from/lib/rustlib/$target/lib" "$out/lib/rustlib/$target/lib"
    else
      echo "adding $part"
      for folder in bin lib libexec; do
        [ -d "$from/$folder" ] || continue
        mkdir -p "$out/$folder"
        cp -r "$from/$folder/." "$out/$folder/"
        chmod -R u+w "$out/$folder"
      done
    fi
  done <"$component/components"
done

# Rust's libraries have a RUNPATH to this folder, so it must have the glibc libraries that they need.
ln -s "$glibc"/lib/*.so* "$out/lib/"

find "$out" -type f -perm -100 | while read -r file; do
  if patchelf --print-interpreter "$file" >/dev/null 2>&1; then
    patchelf --set-interpreter "$glibc/lib/ld-linux-x86-64.so.2" --add-rpath "$out/lib" "$file"
  fi
done

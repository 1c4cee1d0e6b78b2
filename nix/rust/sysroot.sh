# shellcheck shell=bash disable=SC2154 # variables of the derivation (sysroot.nix)
mkdir -p "$out/bin" "$out/lib/rustlib"
ln -s "$toolchain"/bin/* "$out/bin/"
[ ! -e "$toolchain/libexec" ] || ln -s "$toolchain/libexec" "$out/libexec"
ln -s "$toolchain"/lib/rustlib/* "$out/lib/rustlib/"

while read -r target libc; do
  [ -n "$target" ] || continue
  from=$toolchain/lib/rustlib/$target/lib
  to=$out/lib/rustlib/$target/lib
  rm "$out/lib/rustlib/$target"
  mkdir -p "$to/self-contained"
  find "$from/" -maxdepth 1 -type f -exec ln -s {} "$to/" \;
  find "$from/self-contained/" -maxdepth 1 -type f ! -name libc.a -exec ln -s {} "$to/self-contained/" \;
  ln -s "$libc/libc.a" "$to/self-contained/libc.a"
done <<<"$libcs"

# rustc looks for the standard library relative to its real path, also when it is started through a link, so the wrapper names
# the sysroot. cargo.sh adds flags that a project's configuration cannot remove.
for program in rustc rustdoc; do
  rm "$out/bin/$program"
  cat >"$out/bin/$program" <<WRAPPER
#!$shell/bin/bash
exec $toolchain/bin/$program --sysroot $out \$BUILD_${program^^}FLAGS "\$@"
WRAPPER
  chmod +x "$out/bin/$program"
done

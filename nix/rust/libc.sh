# shellcheck shell=bash disable=SC2154 # variables of the derivation (libc.nix)
mkdir "$out"
objects=()
for part in $parts; do
  objects+=("$part"/*.o)
  cat "$part/names" >>taken
done

# The names become local in musl's own objects: some linkers (mold) prefer a strong symbol to an earlier weak one. The objects
# stay in the archive for their other names.
"$llvm/llvm-objcopy" --localize-symbols=taken "$toolchain/lib/rustlib/$target/lib/self-contained/libc.a" musl.a
{
  echo "CREATE $out/libc.a"
  printf 'ADDMOD %s\n' "${objects[@]}"
  echo "ADDLIB musl.a"
  echo SAVE
  echo END
} | "$llvm/llvm-ar" -M

# Each name is defined exactly once.
offered=$("$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$out/libc.a" 2>/dev/null | grep -xFf taken | sort)
diff <(sort -u taken) <(echo "$offered")

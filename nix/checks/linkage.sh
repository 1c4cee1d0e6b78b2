# shellcheck shell=bash disable=SC2154
fail() {
  echo "$executable: $*" >&2
  exit 1
}

for executable in $executables; do
  headers=$(readelf --program-headers --wide "$executable")
  needed=$(readelf --dynamic --wide "$executable" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  paths=$(strings "$executable" | grep -E '/nix/store|/build/' || true)
  if [ "$static" = 1 ]; then
    [[ $headers != *INTERP* ]] || fail "is static, and has an interpreter"
    [ -z "$needed" ] || fail "is static, and needs" "$needed"
    [ -z "$paths" ] || fail "holds paths of its build:" "$paths"
  else
    [[ $headers == *"interpreter: $glibc/lib/ld-linux-x86-64.so.2"* ]] || fail "does not start with the base's glibc"
    [[ $needed == *libc.so.6* ]] || fail "is dynamic, and does not need libc.so.6"
    other=$(grep -vF "$glibc/lib" <<<"$paths" || true)
    [ -z "$other" ] || fail "holds paths of its build:" "$other"
  fi
  echo "$executable: needs ${needed:-nothing}" | tee -a "$out"
done

size=$(stat -c %s "${executables%% *}")
echo "${executables%% *}: $size bytes" | tee -a "$out"
[ "$static" != 1 ] || [ "$size" -le 2000000 ] || fail "is over 2 MB"

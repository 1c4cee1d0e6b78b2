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
    [[ $headers != *INTERP* ]] || fail "is static but has an interpreter"
    [ -z "$needed" ] || fail "is static but needs" "$needed"
    [ -z "$paths" ] || fail "contains paths of its build:" "$paths"
  else
    [[ $headers == *"interpreter: $glibc/lib/ld-linux-x86-64.so.2"* ]] || fail "does not have the dynamic linker of the base's glibc as its interpreter"
    [[ $needed == *libc.so.6* ]] || fail "is dynamic but does not need libc.so.6"
    other=$(grep -vF "$glibc/lib" <<<"$paths" || true)
    [ -z "$other" ] || fail "contains paths of its build:" "$other"
  fi
  echo "$executable: needs ${needed:-nothing}" | tee -a "$out"
done

executable=${executables%% *}
size=$(stat -c %s "$executable")
echo "$executable: $size bytes" | tee -a "$out"
# The bound reveals unintended growth. rustls, ring and webpki take 0.75 MB, the leaf node with the client side of TLS 0.45 MB,
# the command line 0.33 MB, jemalloc 0.3 MB.
[ "$static" != 1 ] || [ "$size" -le 4000000 ] || fail "is over 4 MB"

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

executable=${executables%% *}
size=$(stat -c %s "$executable")
echo "$executable: $size bytes" | tee -a "$out"
# 2 MB was the bound until Broker served clients, 3.5 MB until it was a leaf node: rustls, ring and webpki are 0.75 MB of it, the
# leaf node with their half for clients 0.45 MB, the command line 0.33 MB, jemalloc 0.3 MB. This keeps it from growing unseen.
[ "$static" != 1 ] || [ "$size" -le 4000000 ] || fail "is over 4 MB"

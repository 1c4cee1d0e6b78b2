# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
# Sourced after outside.sh, with the variables of the derivation (cxx.nix).
# Prints the archive member that defines a symbol of the program, as in the linker's map.
from() {
  awk -v name="$1" '$NF ~ /:\(/ { member = $NF } $NF == name { print member }' map
}

expect_from() {
  local wanted=$1 symbol found
  shift
  for symbol in "$@"; do
    found=$(from "$symbol")
    # shellcheck disable=SC2053 # a pattern
    [[ $found == $wanted && $(wc -l <<<"$found") = 1 ]] ||
      fail "$symbol should be from $wanted alone; is from: ${found:-nowhere}"
  done
}

build() {
  local target=$1 profile=$2 linked=$3 folder=$4 type=$5 headers archives foreign
  shift 5
  export RUSTFLAGS="-Lnative=$folder/lib -Clink-arg=-Map=$PWD/map -Clink-arg=--no-demangle"
  SECONDS=0
  cargo build --offline --target "$target" --profile "$profile" </dev/null >log 2>&1 || {
    cat log >&2
    fail "does not build"
  }
  program=target/$target/${profile/dev/debug}/stranger

  headers=$(readelf --file-header --program-headers --wide "$program")
  [[ $headers == *"Type: "*" $type "* ]] || fail "is not of type $type"
  [[ $headers != *INTERP* ]] || fail "is static, and has an interpreter"

  # The only unwinder is Rust's. The C++ library is libc++, and nothing is from the C++ library of glibc programs.
  expect_from "*/rustlib/$target/lib/self-contained/libunwind.a(*" _Unwind_RaiseException _Unwind_Resume _Unwind_GetIP
  expect_from "$folder/lib/$linked(*" _Znwm _ZdlPv __cxa_throw __gxx_personality_v0 _ZNSt3__14coutE _ZNSt3__16thread4joinEv
  archives=$(awk '$NF ~ /\.a\(.*:\(/ { sub(/\(.*/, "", $NF); print $NF }' map | sort -u)
  foreign=$(grep -v -e "^$folder/lib/" -e "/rustlib/$target/lib/self-contained/" -e "^$PWD/target/" <<<"$archives" || true)
  [ -z "$foreign" ] || fail "has parts of other archives:" "$foreign"
  foreign=$(nm "$program" | grep -E '_ZNSt7__cxx11|_ZSt4cout|9__gnu_cxx|gnu_get_libc_version|__libc_start_call_main' || true)
  [ -z "$foreign" ] || fail "has symbols of libstdc++ or glibc:" "$foreign"

  mkdir "$NIX_BUILD_TOP/temporary"
  TMPDIR=$NIX_BUILD_TOP/temporary timeout 120 "$@" "$program" </dev/null >log 2>&1 || {
    cat log >&2
    fail "does not run"
  }
  rmdir "$NIX_BUILD_TOP/temporary"
  echo "$way: C++ of $linked, $(wc -c <"$program") bytes, runs ($SECONDS s)" | tee -a "$out"
}

# The current crate cc detects that clang++ uses libc++, unless CXXSTDLIB names a library. Older versions of it, and build
# scripts that choose the library themselves, link libstdc++.
way=debug
build x86_64-unknown-linux-musl dev libc++.a "$libcxx_x86_64" DYN
way=release
export CXXSTDLIB_x86_64_unknown_linux_musl=stdc++
build x86_64-unknown-linux-musl release libstdc++.a "$libcxx_x86_64" DYN

way=aarch64
export CXXSTDLIB_aarch64_unknown_linux_musl=c++
# For aarch64, rustc links static programs at a fixed address.
build aarch64-unknown-linux-musl release libc++.a "$libcxx_aarch64" EXEC "$emulator/bin/qemu-aarch64"

# clang++ also links programs without Rust, as some build scripts do to test it.
way=alone
for folder in $libcxx_x86_64 $libcxx_aarch64; do
  echo '#include <string>
    int main(int, char **name) { try { return std::stoi(*name); } catch (const std::invalid_argument &) { return 42; } }' |
    "$folder/bin/clang++" -x c++ - -o alone
  run=()
  [ "$folder" = "$libcxx_x86_64" ] || run=("$emulator/bin/qemu-aarch64")
  status=0
  "${run[@]}" ./alone || status=$?
  [ $status = 42 ] || fail "should catch its exception and exit with 42; exited with $status"
done
echo "$way: without Rust, runs" | tee -a "$out"

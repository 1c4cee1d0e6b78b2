# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
# Sourced after outside.sh, with the variables of the derivation (ways.nix).
routines=(memcpy memmove memset memcmp bcmp getrandom)
malloc=(malloc calloc realloc free aligned_alloc memalign posix_memalign malloc_usable_size)
llvm=$cc/usr/lib/llvm-22/bin

# Prints the emulator for the target's programs, if this machine cannot run them.
emulator_of() {
  case $target in
    aarch64-*) echo "$emulator/bin/qemu-aarch64" ;;
  esac
}

# Makes a clang that links for the target with the program $1, and prints its path (see linkers.nix).
clang_with() {
  local clang="$cc/bin/clang --target=$target"
  case $target in aarch64-*) clang=$aarch64/bin/clang ;; esac
  cat >"$NIX_BUILD_TOP/$way-clang" <<WRAPPER
#!$CONFIG_SHELL
exec $clang --ld-path=$1 "\$@"
WRAPPER
  chmod +x "$NIX_BUILD_TOP/$way-clang"
  echo "$NIX_BUILD_TOP/$way-clang"
}

linker_of() {
  case $linker in
    rust-lld) echo rust-lld ;;
    cc) echo "$cc/bin/cc" ;;
    lld) clang_with "$llvm/ld.lld" ;;
    gnu) clang_with "$linkers/bin/${target%%-*}-linux-gnu-ld.bfd" ;;
    mold) clang_with "$linkers/bin/mold" ;;
    *) fail "the table names an unknown linker, $linker" ;;
  esac
}

# Prints whose code a symbol of the program is. The debug information of its address names the source file.
whose() {
  local address unit
  address=$(awk -v name="$1" '$3 == name { print $1 }' <<<"$symbols")
  case $(wc -w <<<"$address") in
    0) echo none ;;
    1)
      unit=$(llvm-dwarfdump --lookup="0x$address" "$program" | grep -m 1 DW_AT_name || true)
      case $unit in
        */fast-musl/src/lib.rs/*) echo ours ;;
        */src_musl/src/*) echo libc ;;
        *) echo "of unknown source: ${unit:-no debug information}" ;;
      esac
      ;;
    *) echo "defined more than once" ;;
  esac
}

expect() {
  local wanted=$1 symbol found
  shift
  for symbol in "$@"; do
    found=$(whose "$symbol")
    [ "$found" = "$wanted" ] || fail "$symbol should be: $wanted; is: $found"
  done
}

# Checks that the linker and the flags of the line had their effect.
expect_linkage() {
  local headers comment type=DYN by=
  headers=$(readelf --file-header --program-headers --wide "$program")
  comment=$(readelf --string-dump=.comment "$program")
  # For aarch64, rustc links static programs for musl at a fixed address.
  case "$target $flags" in aarch64-* | *relocation-model=static*) type=EXEC ;; esac
  [[ $headers == *"Type: "*" $type "* ]] || fail "is not of type $type"
  [[ $target != *-musl || $headers != *INTERP* ]] || fail "is static, and has an interpreter"
  case $comment in
    *"Linker: "*LLD*) by=lld ;;
    *mold*) by=mold ;;
    *) by=gnu ;;
  esac
  case $linker in
    rust-lld | cc | lld) [ $by = lld ] ;;
    *) [ $by = "$linker" ] ;;
  esac || fail "should be linked by $linker; is linked by $by"
}

PATH=$llvm:$PATH
while IFS='|' read -r way target linker routines_of malloc_of settings flags; do
  read -r way <<<"$way"
  read -r target <<<"$target"
  read -r linker <<<"$linker"
  read -r routines_of <<<"$routines_of"
  read -r malloc_of <<<"$malloc_of"
  read -ra settings <<<"$settings"
  profile=${settings[0]}
  options=()
  for setting in "${settings[@]:1}"; do
    options+=(--config "profile.$profile.$setting")
  done
  variable=${target^^}
  path=$(linker_of)
  export "CARGO_TARGET_${variable//-/_}_LINKER=$path" RUSTFLAGS="$flags"

  folder=target/$target/${profile/dev/debug}

  SECONDS=0
  cargo build --offline --target "$target" --profile "$profile" "${options[@]}" </dev/null >log 2>&1 || {
    cat log >&2
    fail "does not build"
  }
  # jemalloc takes a minute to compile, and its C code does not depend on Rust's flags: only the first line compiles it.
  if [ -z "${X86_64_UNKNOWN_LINUX_MUSL_JEMALLOC_OVERRIDE-}" ]; then
    cp "$(find "$folder/build" -name libjemalloc_pic.a)" "$NIX_BUILD_TOP/"
    export X86_64_UNKNOWN_LINUX_MUSL_JEMALLOC_OVERRIDE=$NIX_BUILD_TOP/libjemalloc_pic.a
  fi
  program=$folder/stranger
  symbols=$(llvm-nm --defined-only "$program")
  expect_linkage
  expect "$routines_of" "${routines[@]}"
  expect "$malloc_of" "${malloc[@]}"

  case $flags in *x86-64-v3*)
    grep -qw avx2 /proc/cpuinfo || fail "is built for AVX2, which this machine lacks: use another machine"
    ;;
  esac
  owner=libc
  [ "$malloc_of" != ours ] || owner=jemalloc
  read -ra emulated <<<"$(emulator_of)"
  timeout 120 "${emulated[@]}" "$program" $owner "${emulated[@]}" </dev/null >log 2>&1 || {
    cat log >&2
    fail "does not run"
  }
  echo "$way: routines $routines_of, malloc $malloc_of, runs ($SECONDS s)" | tee -a "$out"
done < <(grep -v -e '^#' -e '^$' table)

# Cargo makes no shared libraries for musl. One with its own libc would have a second heap.
way=cdylib
if cargo rustc --offline --package fast-musl --lib --crate-type cdylib --target x86_64-unknown-linux-musl >log 2>&1; then
  fail "cargo builds shared libraries for musl: test whether musl loads them, and change README's limits"
fi
grep -q "does not support these crate types" log || fail "is refused for another reason:" "$(cat log)"

# On targets other than musl, fast-musl is empty and has no dependencies.
way=glibc
dependencies=$(cargo tree --offline --package fast-musl --target x86_64-unknown-linux-gnu --edges normal --prefix none)
[ "$(wc -l <<<"$dependencies")" = 1 ] || fail "fast-musl has dependencies on glibc:" "$dependencies"

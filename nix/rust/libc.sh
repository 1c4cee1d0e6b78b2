# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
# Sourced in the workspace by cargo.sh, with the variables of the derivation (libc.nix).
mkdir -p "$out" parts
cd parts

# Builds the crate fast-musl with the features given; its objects, and those of the crates below it, are then in rlibs.
fast_musl() {
  (
    cd ..
    rm -rf target
    cargo build --locked --package fast-musl --release --target "$target" \
      --no-default-features --features "$1"
  )
  rlibs=("../target/$target/release/deps"/*.rlib)
}

# Links the objects given to one, in which the names in the file $1.names are weak and all others local.
part() {
  local name=$1
  shift
  "$llvm/ld.lld" -r -o "$name.linked" "$@"
  "$llvm/llvm-objcopy" --keep-global-symbols="$name.names" --weaken --strip-debug "$name.linked" "$name.o"
  # A name that the object lacks would be musl's, beside ours for the rest.
  diff <("$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$name.o" | sort) <(sort "$name.names")
}

# The names for C, among Rust's own.
names() {
  "$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$@" | grep -v -e '^_R' -e '^_ZN' -e '^$' -e ':$'
}

malloc=(malloc calloc realloc free aligned_alloc memalign posix_memalign malloc_usable_size)
[ "$allocator" = system ] || printf '%s\n' "${malloc[@]}" >malloc.names

members=()
if [ -n "$routines" ]; then
  fast_musl default
  mkdir objects
  (cd objects && "$llvm/llvm-ar" x ../"${rlibs[0]}" && rm lib.rmeta)
  names objects/*.o | sort -u >routines.names
  part routines objects/*.o
  members+=(routines.o)
fi
case $allocator in
  jemalloc)
    fast_musl malloc
    part malloc "${malloc[@]/#/--undefined=}" "${rlibs[@]}"
    members+=(malloc.o)
    ;;
  mimalloc)
    # The whole of it is one file, which includes the others, and takes the names of malloc on this request.
    folder=$(echo "$crates"/libmimalloc-sys*/c_src/mimalloc)
    [ -d "$folder/v2" ] && folder=$folder/v2
    variable=CC_${target//-/_}
    cat >note.s <<'S'
.section .note.fast-musl, "a", %note
.balign 4
.long 3f - 2f, 5f - 4f, 1
2: .asciz "fast-musl"
3: .balign 4
4: .ascii "malloc=mimalloc"
5: .balign 4
S
    for source in "$folder/src/static.c" note.s; do
      # shellcheck disable=SC2086 # CFLAGS is a list
      "${!variable}" --target="$target" $CFLAGS -O3 -DNDEBUG -DMI_MALLOC_OVERRIDE=1 -DMI_STATIC_LIB=1 \
        -std=gnu11 -fPIC -ftls-model=initial-exec -ffunction-sections -fdata-sections -fvisibility=hidden \
        -I "$folder/include" -c "$source" -o "$(basename "${source%.*}").o"
    done
    part malloc static.o note.o
    members+=(malloc.o)
    ;;
  system) ;;
esac

# musl's own objects no longer offer these names: some linkers (mold) prefer a strong one to a weak one that comes first. An
# object that has others as well stays for their sake.
cat ./*.names >taken
"$llvm/llvm-objcopy" --localize-symbols=taken "$toolchain/lib/rustlib/$target/lib/self-contained/libc.a" musl.a
{
  echo "CREATE $out/libc.a"
  printf 'ADDMOD %s\n' "${members[@]}"
  echo "ADDLIB musl.a"
  echo SAVE
  echo END
} | "$llvm/llvm-ar" -M

# Each name is there once.
offered=$("$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$out/libc.a" 2>/dev/null | grep -xFf taken | sort)
diff <(sort -u taken) <(echo "$offered")

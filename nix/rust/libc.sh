# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
# cargo.sh sources this in the workspace, with the variables of the derivation (libc.nix).
mkdir -p "$out" parts
cd parts

# Builds the crate fast-musl with the features $1. Sets rlibs to the files with its objects and those of its dependencies.
fast_musl() {
  (
    cd ..
    rm -rf target
    cargo build --locked --package fast-musl --release --target "$target" \
      --no-default-features --features "$1"
  )
  rlibs=("../target/$target/release/deps"/*.rlib)
}

# Links the objects $2… into $1.o, in which the names in the file $1.names are weak and all others are local.
part() {
  local name=$1
  shift
  "$llvm/ld.lld" -r -o "$name.linked" "$@"
  "$llvm/llvm-objcopy" --keep-global-symbols="$name.names" --weaken --strip-debug "$name.linked" "$name.o"
  # If the object lacked a name, musl's function of that name would be linked next to ours.
  diff <("$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$name.o" | sort) <(sort "$name.names")
}

# Prints the names for C, without Rust's own symbols.
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
    # mimalloc is one file that includes the others. MI_MALLOC_OVERRIDE makes it define malloc's names.
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

# The names become local in musl's own objects: some linkers (mold) prefer a strong symbol to an earlier weak one. The objects
# stay in the archive for their other names.
cat ./*.names >taken
"$llvm/llvm-objcopy" --localize-symbols=taken "$toolchain/lib/rustlib/$target/lib/self-contained/libc.a" musl.a
{
  echo "CREATE $out/libc.a"
  printf 'ADDMOD %s\n' "${members[@]}"
  echo "ADDLIB musl.a"
  echo SAVE
  echo END
} | "$llvm/llvm-ar" -M

# Each name is defined exactly once.
offered=$("$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$out/libc.a" 2>/dev/null | grep -xFf taken | sort)
diff <(sort -u taken) <(echo "$offered")

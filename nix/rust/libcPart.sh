# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
# cargo.sh sources this in the workspace, with the variables of the derivation (libc.nix): writes the part $kind.
mkdir -p "$out"

# Builds the crate fast-musl with the features $1. Sets rlibs to the files with its objects and those of its dependencies.
fast_musl() {
  cargo build --locked --package fast-musl --release --target "$target" --no-default-features --features "$1"
  rlibs=("$PWD/target/$target/release/deps"/*.rlib)
}

# Links the objects $2… into $1.o, in which the names in the file `names` are weak and all others are local.
link() {
  local object=$out/$1.o
  shift
  "$llvm/ld.lld" -r -o linked.o "$@"
  "$llvm/llvm-objcopy" --keep-global-symbols="$out/names" --weaken --strip-debug linked.o "$object"
  # If the object lacked a name, musl's function of that name would be linked next to ours.
  diff <("$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols "$object" | sort) "$out/names"
}

malloc=(malloc calloc realloc free aligned_alloc memalign posix_memalign malloc_usable_size)
[ "$kind" = routines ] || printf '%s\n' "${malloc[@]}" | sort >"$out/names"

case $kind in
  routines)
    fast_musl default
    mkdir objects
    (cd objects && "$llvm/llvm-ar" x "${rlibs[0]}" && rm lib.rmeta)
    # The names for C, without Rust's own symbols.
    "$llvm/llvm-nm" --defined-only --extern-only --format=just-symbols objects/*.o |
      grep -v -e '^_R' -e '^_ZN' -e '^$' -e ':$' | sort -u >"$out/names"
    link routines objects/*.o
    ;;
  jemalloc)
    fast_musl malloc
    link malloc "${malloc[@]/#/--undefined=}" "${rlibs[@]}"
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
    link malloc static.o note.o
    ;;
esac

# `broker info` of a variant reports its target, linkage, C library and allocator.
{ derive }:
name: variant: build:
derive {
  name = "info-${name}";
  inherit (build) program;
  inherit (variant) target libc allocator;
  static = if variant.static then "true" else "false";
  arenaPerCpu = builtins.elem "sized-jemalloc" variant.features;
  script = ''
    $program/bin/broker info --json | tee $out
    value() { sed -n "s/^ *\"$1\": \"*\([^\",]*\).*/\1/p"; }
    member() { sed -n "/^  \"$1\"/,/^  }/p" $out | value $2 | head -n 1; }
    expect() {
      if [ "$2" != "$3" ]; then
        echo "broker info reports $1 $2 instead of $3" >&2
        exit 1
      fi
    }
    expect target "$(value target <$out)" $target
    expect static_linked "$(value static_linked <$out)" $static
    expect libc.name "$(member libc name)" $libc
    expect allocator.name "$(member allocator name)" $allocator
    # Each arena takes memory, and jemalloc's default is four per CPU.
    if [ "$arenaPerCpu" ]; then
      expect narenas "$(value narenas <$out)" "$(nproc)"
    fi
    # The output for people has one line for each fact.
    $program/bin/broker info | grep -q "^target: *$target$"
  '';
}

# What the report measures in addition to the variants: the steps between stock musl and the shipped variant, and
# references that show how far the shipped variant is from what is possible. Each is the benchmark alone, built on the
# dependencies of the named variant.
{
  step-memory = {
    label = "fast musl, memory routines alone, jemalloc";
    dependenciesOf = "broker-static";
    features = [ "jemalloc" "fast-memory" ];
  };
  step-fast-musl = {
    label = "fast musl, jemalloc without sizes";
    dependenciesOf = "broker-static";
    features = [ "jemalloc" "fast-musl" ];
  };
  musl-fast = {
    label = "fast musl";
    dependenciesOf = "broker-static";
    features = [ "fast-musl" ];
  };
  glibc-mimalloc = {
    label = "glibc, mimalloc";
    dependenciesOf = "broker";
    features = [ "reference-mimalloc" ];
  };
  musl-mimalloc = {
    label = "fast musl, mimalloc";
    dependenciesOf = "broker-static";
    features = [ "fast-musl" "reference-mimalloc" ];
  };
  # Thread-local free lists over chunks that are never returned: the least work that an allocator can do.
  floor = {
    label = "fast musl, floor";
    dependenciesOf = "broker-static";
    features = [ "fast-musl" "reference-floor" ];
  };
}

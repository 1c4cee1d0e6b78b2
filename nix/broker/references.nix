# What the report measures beside the variants: the steps between stock musl and what is shipped, and references that
# tell how far that is from what is possible. Only the benchmark's executable, on the dependencies of the variant named.
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
  # Thread-local free lists over chunks that are never returned: the least that an allocator can do.
  floor = {
    label = "fast musl, floor";
    dependenciesOf = "broker-static";
    features = [ "fast-musl" "reference-floor" ];
  };
}

# The variants of Broker: C library x allocator. The packages, the checks and the report are maps over this set. `host` has
# the targets of the machine that builds, `foreign` the other targets that it builds for.
#
# label        the variant's name in the report
# benchmark    the name of the package with the variant's benchmark
# features     Cargo's features
# shipped      whether releases contain it
# base         the variant for the same target whose compiled dependencies it starts from; cargo compiles only what differs
{ host, foreign }:
let
  glibc = { libc = "glibc"; static = false; target = host.glibc; shipped = false; };
  musl = { libc = "musl"; static = true; target = host.musl; shipped = false; };
  # Static, without the penalty of stock musl.
  shipped = musl // {
    allocator = "jemalloc";
    features = [ "fast-musl" "sized-jemalloc" ];
    shipped = true;
  };
in
{
  broker = glibc // {
    label = "glibc";
    benchmark = "allocations";
    allocator = "glibc";
    features = [ ];
  };
  broker-jemalloc = glibc // {
    label = "glibc, jemalloc";
    benchmark = "allocations-jemalloc";
    allocator = "jemalloc";
    features = [ "jemalloc" ];
    base = "broker";
  };
  broker-musl = musl // {
    label = "stock musl";
    benchmark = "allocations-musl";
    allocator = "musl";
    features = [ ];
    base = "broker-static";
  };
  broker-musl-jemalloc = musl // {
    label = "stock musl, jemalloc";
    benchmark = "allocations-musl-jemalloc";
    allocator = "jemalloc";
    features = [ "jemalloc" ];
    base = "broker-static";
  };
  broker-static = shipped // {
    label = "fast musl, jemalloc";
    benchmark = "allocations-static";
  };
}
  // (if foreign ? aarch64-unknown-linux-musl then {
  # Built on x86_64.
  broker-static-aarch64 = shipped // {
    label = "fast musl, jemalloc, aarch64";
    benchmark = "allocations-static-aarch64";
    target = "aarch64-unknown-linux-musl";
  };
} else { })

# The matrix: libc x allocator. Packages, checks and the report are maps over it. The arguments are the
# targets of the machine that builds, and the others that it builds for.
{ host, foreign }:
{
  broker = {
    allocations = "allocations";
    label = "glibc";
    target = host.glibc;
    static = false;
    features = [ ];
    libc = "glibc";
    allocator = "glibc";
  };
  broker-jemalloc = {
    allocations = "allocations-jemalloc";
    label = "glibc, jemalloc";
    target = host.glibc;
    static = false;
    features = [ "jemalloc" ];
    libc = "glibc";
    allocator = "jemalloc";
  };
  broker-musl = {
    allocations = "allocations-musl";
    label = "stock musl";
    target = host.musl;
    static = true;
    features = [ ];
    libc = "musl";
    allocator = "musl";
  };
  broker-musl-jemalloc = {
    allocations = "allocations-musl-jemalloc";
    label = "stock musl, jemalloc";
    target = host.musl;
    static = true;
    features = [ "jemalloc" ];
    libc = "musl";
    allocator = "jemalloc";
  };
  # What is shipped: static, without the penalty of stock musl.
  broker-static = {
    allocations = "allocations-static";
    label = "fast musl, jemalloc";
    target = host.musl;
    static = true;
    features = [ "fast-musl" "sized-jemalloc" ];
    libc = "musl";
    allocator = "jemalloc";
  };
}
  // (if foreign ? aarch64-unknown-linux-musl then {
  # The same for aarch64, built on x86_64.
  broker-static-aarch64 = {
    allocations = "allocations-static-aarch64";
    label = "fast musl, jemalloc, aarch64";
    target = "aarch64-unknown-linux-musl";
    static = true;
    features = [ "fast-musl" "sized-jemalloc" ];
    libc = "musl";
    allocator = "jemalloc";
  };
} else { })

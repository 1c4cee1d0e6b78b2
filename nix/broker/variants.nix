# The matrix: libc x allocator. Packages, checks and the report are maps over it.
{
  broker = {
    allocations = "allocations";
    target = "x86_64-unknown-linux-gnu";
    static = false;
    features = [ ];
    libc = "glibc";
    allocator = "glibc";
  };
  broker-jemalloc = {
    allocations = "allocations-jemalloc";
    target = "x86_64-unknown-linux-gnu";
    static = false;
    features = [ "jemalloc" ];
    libc = "glibc";
    allocator = "jemalloc";
  };
  broker-musl = {
    allocations = "allocations-musl";
    target = "x86_64-unknown-linux-musl";
    static = true;
    features = [ ];
    libc = "musl";
    allocator = "musl";
  };
  # What is shipped.
  broker-static = {
    allocations = "allocations-static";
    target = "x86_64-unknown-linux-musl";
    static = true;
    features = [ "jemalloc" ];
    libc = "musl";
    allocator = "jemalloc";
  };
}

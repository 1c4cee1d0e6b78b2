# The builds that the report compares, in its order. The first is the baseline.
#
# label      the build's name in the report
# shipped    whether this is the library's default build, which the report refers to by its name
# allocator  whether only the allocator differs from the previous build; it is left out for programs with their own allocator
{ lib }:
let
  stock = allocator: project: lib.buildStatic (project // { musl = "stock"; inherit allocator; });
in
[
  { name = "glibc"; label = "glibc"; build = lib.buildGlibc; }
  { name = "stock-musl"; label = "stock musl"; build = stock "system"; }
  { name = "stock-musl-jemalloc"; label = "stock musl, jemalloc"; build = stock "jemalloc"; allocator = true; }
  { name = "buildStatic"; label = "fast musl, jemalloc"; build = lib.buildStatic; shipped = true; }
]

# The builds that are compared, in the order in which they are shown; the first is the baseline. Each has a name and a label
# for the report, which calls what is shipped by its name.
{ lib }:
let
  stock = allocator: project: lib.buildStatic (project // { musl = "stock"; inherit allocator; });
in
[
  { name = "glibc"; label = "glibc"; build = lib.buildGlibc; }
  { name = "stock-musl"; label = "stock musl"; build = stock "system"; }
  # No different from the one before where a program brings its allocator.
  { name = "stock-musl-jemalloc"; label = "stock musl, jemalloc"; build = stock "jemalloc"; allocator = true; }
  { name = "buildStatic"; label = "fast musl, jemalloc"; build = lib.buildStatic; shipped = true; }
]

# One variant's executables: `program` is Broker, `allocations` its benchmark.
{ lib, root, vendor }:
name: variant:
let
  arguments = {
    src = root;
    package = "broker";
    inherit name vendor;
    inherit (variant) features target;
    # Broker brings routines and allocator by crates, as any program can.
    musl = "stock";
    allocator = "system";
    # What saves 140 KB of a static file: identical functions and ends of strings once, and relocations as a bitmap, which
    # musl reads since 1.2.4. A linker other than lld does not know these flags, so they are no part of Cargo's configuration.
    rustflags =
      if variant.static then [ "-Clink-arg=--icf=all" "-Clink-arg=--pack-dyn-relocs=relr" "-Clink-arg=-O2" ] else [ ];
    paths = code;
  };
  with' = more: lib.project (arguments // more);
  code = [ "build.rs" "src" "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
  own = with' { };
  source = paths: lib.source { inherit root; paths = code ++ paths; };

  # The crates of the benchmark and of unit tests on top of those of the program: an edit builds neither again.
  allDependencies = own.dependencies {
    inherit (own) cargo;
    kind = "all-dependencies";
    artifacts = lib.dependencies own;
    # Each executable is linked with the standard library, whatever is in it: one is enough.
    command = "cargo build ${own.flags} --lib --bench allocations";
  };

  benchmark = { name, features }: own.cargo {
    inherit name;
    source = source [ "benches" "crates/floor/src" ];
    artifacts = allDependencies;
    command = ''
      cargo bench ${builtins.replaceStrings [ "--profile release" ] [ "" ] (with' { inherit features; }).flags} --bench allocations --no-run
      install -D "$(find ${own.folder}/deps -name 'allocations-*' -perm -100 -newer Cargo.lock)" $out/bin/allocations
    '';
  };
in
{
  inherit benchmark source;
  project = own;
  # The same, otherwise built.
  projectWith = with';
  # As it is released: with the list of its crates.
  released = with' { auditable = true; };
  program = lib.build own;
  allocations = benchmark { name = variant.allocations; inherit (variant) features; };
  # The unit tests, optimised as the program is.
  units = own.cargo {
    name = "units-${name}";
    source = source [ "fuzz" ];
    artifacts = allDependencies;
    command = "cargo test ${own.flags} --lib 2>&1 | tee $out";
  };
}

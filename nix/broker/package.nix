# One variant's executables: `program` is Broker, `allocations` its benchmark.
{ lib, root, vendor }:
name: variant:
let
  arguments = features: {
    src = root;
    package = "broker";
    inherit name vendor features;
    inherit (variant) target;
    # Broker brings routines and allocator by crates, as any program can.
    musl = "stock";
    allocator = "system";
    # What saves 140 KB of a static file: identical functions and ends of strings once, and relocations as a bitmap, which
    # musl reads since 1.2.4. A linker other than lld does not know these flags, so they are no part of Cargo's configuration.
    rustflags =
      if variant.static then [ "-Clink-arg=--icf=all" "-Clink-arg=--pack-dyn-relocs=relr" "-Clink-arg=-O2" ] else [ ];
    paths = code;
  };
  project = features: lib.project (arguments features);
  code = [ "build.rs" "src" "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
  own = project variant.features;
  source = paths: lib.source { inherit root; paths = code ++ paths; };

  # The crates of tests and benchmarks on top of those of the program: an edit builds neither again.
  allDependencies = own.dependencies {
    inherit (own) cargo;
    kind = "all-dependencies";
    artifacts = lib.dependencies own;
    command = "cargo build ${own.flags} --bins --tests --benches";
  };

  benchmark = { name, features }: own.cargo {
    inherit name;
    source = source [ "benches" "crates/floor/src" ];
    artifacts = allDependencies;
    command = ''
      cargo bench ${builtins.replaceStrings [ "--profile release" ] [ "" ] (project features).flags} --bench allocations --no-run
      install -D "$(find ${own.folder}/deps -name 'allocations-*' -perm -100 -newer Cargo.lock)" $out/bin/allocations
    '';
  };
in
{
  inherit allDependencies benchmark;
  project = own;
  # As it is released: with the list of its crates.
  released = lib.project (arguments variant.features // { auditable = true; });
  program = lib.build own;
  allocations = benchmark { name = variant.allocations; inherit (variant) features; };
  tests = own.cargo {
    name = "tests-${name}";
    source = source [ "tests" "fuzz" ];
    artifacts = allDependencies;
    command = "cargo test ${own.flags} 2>&1 | tee $out";
  };
}

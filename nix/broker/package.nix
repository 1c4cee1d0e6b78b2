# One variant's executables: `program` is Broker, `allocations` its benchmark; `tested` is what the tests start from.
{ rust, root, crates, manifests }:
name: variant:
let
  inherit (variant) target;
  cargo = rust.cargoWith rust.build;
  flagsFor = features: "--release --locked --target ${target} --features=${builtins.concatStringsSep "," features}";
  common = {
    inherit manifests crates;
    flags = flagsFor variant.features;
    # What saves 140 KB of a static file: identical functions and ends of strings once, and relocations as a bitmap, which
    # musl reads since 1.2.4. A linker other than lld does not know these flags, so they are no part of Cargo's configuration.
    rustflags = if variant.static then "-Clink-arg=--icf=all -Clink-arg=--pack-dyn-relocs=relr -Clink-arg=-O2" else "";
  };

  keep = "mv target $out";

  # The crates that Broker itself needs, then those of tests and benchmarks on top: an edit builds neither again.
  dependencies = cargo (common // {
    name = "${name}-dependencies";
    command = "cargo build $flags --bins; ${keep}";
  });
  allDependencies = cargo (common // {
    name = "${name}-all-dependencies";
    artifacts = dependencies;
    command = "cargo build $flags --bins --tests --benches; ${keep}";
  });

  code = [ "build.rs" "src" "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
  benchmark = { name, features }: cargo (common // {
    inherit name;
    flags = flagsFor features;
    artifacts = allDependencies;
    source = rust.source { inherit root; paths = code ++ [ "benches" "crates/floor/src" ]; };
    command = ''
      cargo bench ''${flags/--release/} --bench allocations --no-run
      install -D "$(find target/${target}/release/deps -name 'allocations-*' -perm -100 -newer Cargo.lock)" $out/bin/allocations
    '';
  });
in
{
  inherit common allDependencies benchmark;

  program = cargo (common // {
    inherit name;
    artifacts = dependencies;
    source = rust.source { inherit root; paths = code; };
    command = "cargo build $flags --bin broker; install -D -t $out/bin target/${target}/release/broker";
  });

  allocations = benchmark { name = variant.allocations; inherit (variant) features; };

  tests = cargo (common // {
    name = "tests-${name}";
    artifacts = allDependencies;
    source = rust.source { inherit root; paths = code ++ [ "tests" "fuzz" ]; };
    command = "cargo test $flags 2>&1 | tee $out";
  });
}

# One variant's executables: `program` is Broker, `allocations` the benchmark of C libraries and allocators.
{ lib, workspace }:
name: variant:
let
  inherit (workspace) root vendor linked;
  # What `cargo test` is about, beside Broker itself: the crates that it and the benchmark are made of.
  members = builtins.filter (member: member != ".") (builtins.fromTOML (builtins.readFile (root + "/Cargo.toml"))).workspace.default-members;
  libraries = map baseNameOf members;
  # Cargo's arguments for all of them.
  selected = builtins.concatMap (library: [ "--package" library ]) libraries;
  code = members ++ [ "src" ] ++ linked.fast-musl ++ linked.sized-jemalloc;
  source = paths: lib.source { inherit root; paths = code ++ paths; };

  project = more: lib.project ({
    src = root;
    package = "broker";
    inherit name vendor;
    inherit (variant) features target;
    # Broker brings routines and allocator by crates, as any program can.
    musl = "stock";
    allocator = "system";
    # Functions of up to 60 instructions of LLVM's are inlined, not 225: the file is 130 KB smaller, and a message takes 1.5 %
    # fewer instructions. This changes code that is compiled at level 2, thus neither jemalloc nor fast-musl.
    rustflags = [ "-Cllvm-args=-inlinedefault-threshold=60" ]
      # What saves 140 KB of a static file: identical functions and ends of strings once, and relocations as a bitmap, which
      # musl reads since 1.2.4. A linker other than lld does not know these flags, so they are no part of Cargo's configuration.
      ++ (if variant.static then [ "-Clink-arg=--icf=all" "-Clink-arg=--pack-dyn-relocs=relr" "-Clink-arg=-O2" ] else [ ]);
    # Nothing unwinds through the C code of jemalloc and ring, and without tables for that the file is 70 KB smaller.
    env = if variant.static then { CFLAGS = toString [ "-fno-asynchronous-unwind-tables" "-fno-unwind-tables" ]; } else { };
    paths = code;
  } // more);
  own = project { };

  # The benchmark's own crates on top of those of the program.
  benchmarked = arguments: project ({ package = "broker-workloads"; } // arguments);
  benchmarkDependencies = own.dependencies {
    inherit (own) cargo;
    kind = "benchmark-dependencies";
    artifacts = lib.dependencies own;
    command = "cargo build ${toString (benchmarked { inherit (variant) features; }).flags} --bench allocations";
  };
  benchmark = { name, features }: own.cargo {
    inherit name;
    source = source [ "benches" "crates/floor/src" ];
    artifacts = benchmarkDependencies;
    command = ''
      cargo bench ${toString (benchmarked { inherit features; profile = "bench"; }).flags} --bench allocations --no-run
      install -D "$(find ${own.folder}/deps -name 'allocations-*' -perm -100 -newer Cargo.lock)" $out/bin/allocations
    '';
  };
in
{
  inherit project libraries selected source;
  # As it is released: with the list of its crates.
  released = project { auditable = true; };
  program = lib.build own;

  inherit benchmark;
  allocations = benchmark { name = variant.allocations; inherit (variant) features; };

  # The unit tests of its crates, compiled as the program is and with its memory routines.
  units =
    let
      tested = project { package = "broker-server"; features = [ "tls" ] ++ routines; cargoArgs = selected; };
      routines = map (feature: "broker-runtime/${feature}") (builtins.filter (feature: feature == "fast-musl") variant.features);
    in
    own.cargo {
      name = "units-${name}";
      source = source [ "fuzz" ];
      artifacts = lib.dependencies own;
      command = "cargo test ${toString tested.flags} --lib 2>&1 | tee $out";
    };
}

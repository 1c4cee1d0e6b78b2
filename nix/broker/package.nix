# One variant: `program` is Broker, `benchmark` the benchmark of C libraries and allocators, `units` the unit tests.
#
# `base` is the variant whose compiled dependencies it starts from, or null.
{ derive, lib, workspace }:
name: variant: base:
let
  inherit (builtins) concatMap filter fromTOML readFile;
  inherit (workspace) root vendor linked;
  # The crates that Broker and its benchmark consist of, which `cargo test` tests with Broker.
  members = filter (member: member != ".") (fromTOML (readFile (root + "/Cargo.toml"))).workspace.default-members;
  libraries = map baseNameOf members;
  # Cargo's arguments that select all of them.
  selected = concatMap (library: [ "--package" library ]) libraries;
  code = members ++ [ "src" ] ++ linked.fast-musl ++ linked.sized-jemalloc;
  source = paths: workspace.source (code ++ paths);

  projectWith = arguments: lib.project ({
    src = root;
    package = "broker";
    inherit name vendor;
    inherit (variant) features target;
    # Broker's crates bring the routines and the allocator, as in any program that uses them without Nix.
    musl = "stock";
    allocator = "system";
    # LLVM inlines functions of up to 60 instructions instead of 225: the file is 130 KB smaller, and a message takes 1.5 %
    # fewer instructions. This applies to code compiled at optimisation level 2, so not to jemalloc or fast-musl.
    rustflags = [ "-Cllvm-args=-inlinedefault-threshold=60" ]
      # These save 140 KB of a static file: identical functions and string tails are merged, and relocations are a bitmap,
      # which musl reads since 1.2.4. Linkers other than lld do not know these flags, so Cargo's configuration lacks them.
      ++ (if variant.static then [ "-Clink-arg=--icf=all" "-Clink-arg=--pack-dyn-relocs=relr" "-Clink-arg=-O2" ] else [ ]);
    # Nothing unwinds through the C code of jemalloc and ring. Without its unwind tables the file is 70 KB smaller.
    env = if variant.static then { CFLAGS = toString [ "-fno-asynchronous-unwind-tables" "-fno-unwind-tables" ]; } else { };
    paths = code;
  } // arguments);
  programWith = arguments: projectWith ({ artifacts = if base == null then "" else base.benchmarkDependencies; } // arguments);
  project = programWith { };

  # The benchmark's own dependencies are built on top of the program's.
  benchmarkProject = arguments: projectWith ({ package = "broker-workloads"; } // arguments);
  benchmarkDependencies = project.dependencies {
    inherit (project) cargo;
    kind = "benchmark-dependencies";
    from = lib.dependencies project;
    command = "cargo build ${toString (benchmarkProject { inherit (variant) features; }).flags} --bench allocations";
  };
  benchmarkWith = { name, features }: project.cargo {
    inherit name;
    source = source [ "benches" "crates/floor/src" ];
    artifacts = benchmarkDependencies;
    command = ''
      cargo bench ${toString (benchmarkProject { inherit features; profile = "bench"; }).flags} --bench allocations --no-run
      install -D "$(find ${project.folder}/deps -name 'allocations-*' -perm -100 -newer Cargo.lock)" $out/bin/allocations
    '';
  };
in
{
  # The file with jemalloc.
  jemalloc = "${derive {
    name = "jemalloc-${name}";
    dependencies = lib.dependencies project;
    script = ''install -D -t $out "$(find $dependencies -name libjemalloc_pic.a)"'';
  }}/libjemalloc_pic.a";
  inherit projectWith libraries selected source;
  # The project whose programs a release contains: they have the list of their crates embedded.
  released = programWith { auditable = true; };
  program = lib.build project;

  inherit benchmarkWith benchmarkDependencies;
  benchmark = benchmarkWith { name = variant.benchmark; inherit (variant) features; };

  # The unit tests of its crates, compiled as the program is and with its memory routines.
  units =
    let
      tested = projectWith { package = "broker-server"; features = [ "tls" ] ++ routines; cargoArgs = selected; };
      routines = map (feature: "broker-runtime/${feature}") (filter (feature: feature == "fast-musl") variant.features);
    in
    project.cargo {
      name = "units-${name}";
      source = source [ "fuzz" ];
      artifacts = benchmarkDependencies;
      command = "cargo test ${toString tested.flags} --lib 2>&1 | tee $out";
    };
}

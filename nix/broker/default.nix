# Broker and its benchmark in every variant, and the checks on them.
{ derive, lib, rust, root }:
let
  inherit (builtins) attrNames filter listToAttrs mapAttrs;

  variants = import ./variants.nix { inherit (rust) host foreign; };
  references = import ./references.nix;
  manifests = rust.manifests { workspace = rust.workspace { inherit root; }; };
  fetched = rust.fetchCrates {
    inherit manifests;
    lock = root + "/Cargo.lock";
    hash = "sha256-a8LWUVlnEnPij4p8CT3nFOfw0c5f6GywSs+N3A8z2bY=";
  };
  crates = rust.scripts { inherit fetched; lock = root + "/Cargo.lock"; };
  package = import ./package.nix { inherit lib root; vendor = fetched; };
  built = mapAttrs package variants;
  # Those that this machine runs itself.
  native = listToAttrs (filter ({ value, ... }: rust.targets.${value.target}.emulator == "")
    (map (name: { inherit name; value = variants.${name}; }) (attrNames variants)));
  # What is put up for download, on every architecture.
  released = map (name: built.${name}.released) (filter (name: variants ? ${name}) [ "broker-static" "broker-static-aarch64" ]);

  # A program of the workspace beside Broker: static where it can be, so that it needs nothing of its surroundings.
  program = { name, toolchain ? rust.build, profile ? "release", target ? rust.host.musl, flags ? "", paths ? [ ] }:
    rust.cargoWith toolchain ((if builtins.elem target own then { } else { inherit target; }) // {
      inherit name manifests crates;
      source = rust.source { inherit root; paths = [ "crates/${name}" ] ++ paths; };
      command = ''
        cargo build --locked --package ${name} --profile ${profile} --target ${target} ${flags}
        install -D -t $out/bin target/${target}/${profile}/${name}
      '';
    });
  own = builtins.attrValues rust.host;

  # The release of Rust that a crate names as its own.
  releaseOf = name: (builtins.fromTOML (builtins.readFile (root + "/crates/${name}/Cargo.toml"))).package.rust-version;

  # A base's seed, from its source, by the release of Rust that both are of.
  seedFor = target: others: program {
    name = "seed";
    profile = "seed";
    inherit target;
    toolchain = rust.releaseFor (releaseOf "seed") others;
  };
in
{
  inherit variants native references built manifests crates;

  # What is published, and the oldest release of Rust that each promises to build with.
  published = listToAttrs (map (name: { inherit name; value = releaseOf name; }) [ "fast-musl" "sized-jemalloc" ]);
  # What the seeds were built by.
  seedRelease = releaseOf "seed";
  # The tests, for any of the variants.
  harness = import ./harness.nix { inherit derive lib; native = built.broker-jemalloc; };

  # What the references are measured by.
  referenceAllocations = mapAttrs
    (name: { dependenciesOf, features, ... }:
      built.${dependenciesOf}.benchmark { name = "allocations-${name}"; inherit features; })
    references;

  # The seeds of all bases (nix/base), by system.
  rebuiltSeeds = {
    x86_64-linux = seedFor "x86_64-unknown-linux-musl" [ ];
    aarch64-linux = seedFor "aarch64-unknown-linux-musl" [ "rust-std-musl-aarch64" ];
  };
  # Measures the variants against each other.
  report = program { name = "report"; paths = [ "crates/survey/src" ]; };
  # Time the parts of the C library: glibc, and musl without and with what is done about its penalty.
  surveys = {
    glibc = program { name = "survey"; target = rust.host.glibc; };
    stock-musl = program { name = "survey"; };
    fast-musl = program {
      name = "survey";
      flags = "--features fast";
      paths = [ "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
    };
  };
  # Tells what an executable file is made of.
  inspect = program { name = "inspect"; };
  # What the report compares servers with. Its C library is that of broker-static, so that only the work differs.
  least = program { name = "least"; paths = [ "crates/fast-musl/build.rs" "crates/fast-musl/src" ]; };
  # Writes nix/base/debian/debian.json.
  debianLock = program { name = "debian-lock"; };

  packages =
    mapAttrs (_: build: build.program) built
    // listToAttrs (map
      (name: { name = variants.${name}.allocations; value = built.${name}.allocations; })
      (attrNames variants))
    // {
      default = built.broker-static.program;
      sbom = lib.sbomOf built.broker-static.released;
      release = lib.releaseOf { files = { "README.md" = root + "/README.md"; LICENSE = root + "/LICENSE"; }; } released;
      image = lib.imageOf { command = [ "serve" "--listen" "0.0.0.0:4222" ]; config.ExposedPorts."4222/tcp" = { }; } released;
    };
}

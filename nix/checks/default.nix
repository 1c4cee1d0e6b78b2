# A check for each promise.
{ base, rust, lib, tools, broker, root }:
let
  inherit (base) derive;
  inherit (broker) manifests crates;
  variants = broker.native;
  built = builtins.mapAttrs (name: _: broker.built.${name}) variants;

  perVariant = promise: check: builtins.listToAttrs (map
    (name: {
      name = "${promise}-${name}";
      value = check name variants.${name} built.${name};
    })
    (builtins.attrNames variants));

  call = file: arguments: import file (arguments // { inherit derive; });
  # The release of Rust that a crate names as its own.
  releaseOf = names: builtins.listToAttrs (map
    (name: {
      inherit name;
      value = (builtins.fromTOML (builtins.readFile (root + "/crates/${name}/Cargo.toml"))).package.rust-version;
    })
    names);
  # What is published, and the oldest release of Rust that each promises to build with.
  published = releaseOf [ "fast-musl" "sized-jemalloc" ];
  perCrate = promise: check: builtins.listToAttrs (map
    (name: { name = "${promise}-${name}"; value = check name published.${name}; })
    (builtins.attrNames published));

  source = paths: rust.source { inherit root paths; };
  code = [ "Cargo.toml" "LICENSE" "build.rs" "deny.toml" "src" "benches" "tests" "crates" "fuzz" ];
  workspace = {
    inherit manifests crates;
    source = source code;
  };

  # What x86_64-linux checks for every machine: the templates name that system, the older releases of Rust (of the published
  # crates, and of the seeds) are locked for it alone, and it builds for both architectures.
  there = perCrate "package" (import ./package.nix { inherit rust workspace; })
    // builtins.listToAttrs (map
    (name: { name = "template-${name}"; value = call ./template.nix { inherit lib; inherit (base) system; } name (root + "/templates/${name}"); })
    (builtins.attrNames (builtins.readDir (root + "/templates"))))
    // {
    seed = call ./seed.nix { inherit (base) seed; rebuiltSeed = broker.rebuiltSeeds.x86_64-linux; };
    seed-aarch64 = call ./seed-aarch64.nix {
      inherit (base) emulator;
      inherit (base.bootstrap-aarch64) seed debs;
      rebuiltSeed = broker.rebuiltSeeds.aarch64-linux;
    };
    ways = import ./ways.nix {
      cargo = rust.cargoWith rust.aarch64;
      inherit (base) cc linkers aarch64 emulator;
      inherit manifests crates;
      source = source [ "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
    };
  };
in
perVariant "tests" (_: _: build: build.tests)
// perVariant "linkage" (call ./linkage.nix { inherit (base) cc glibc adapt; })
// perVariant "info" (call ./info.nix { })
// (if base.system == "x86_64-linux" then there else { })
  // {
  benchmarks = call ./benchmarks.nix {
    executables = builtins.mapAttrs (_: build: build.allocations) built;
  };
  counts = call ./counts.nix {
    inherit (base) checkers;
    executables = builtins.mapAttrs (_: build: build.allocations) built;
  };
  tests-crates = import ./crates.nix { cargo = rust.cargoWith rust.build; inherit (rust.host) musl; inherit workspace; };
  tests-reference = import ./reference.nix {
    inherit (workspace) source;
    inherit (base) reference;
    inherit (built.broker) project allDependencies;
  };
  debian = call ./debian.nix { folder = ../base/debian; };
  overlay = call ./overlay.nix {
    inherit lib;
    inherit (broker) packages;
    overlay = import ../overlay.nix { packages.${base.system} = broker.packages; lib.${base.system} = lib; };
    inherit (base) system;
  };
  vendored = call ./vendored.nix { inherit lib; };
  lints = import ./lints.nix { inherit (workspace) source; inherit (built.broker-jemalloc) project allDependencies; };
  format = call ./format.nix { toolchain = rust.develop; source = source (code ++ [ "nix/checks/ways" "nix/heavy" "nix/programs" "nix/release/pack" "templates" ]); };
  portable = import ./portable.nix { cargo = rust.cargoWith rust.portable; inherit workspace; };
  licences = import ./licences.nix { cargo = rust.cargoWith rust.build; inherit workspace; inherit (tools) cargo-deny; };
  toolchain = call ./toolchain.nix { toolchain = rust.build; inherit root; older = published // releaseOf [ "seed" ]; };
  update = call ./update.nix {
    source = source [
      "flake.nix"
      "flake.lock"
      "rust-toolchain.toml"
      "Cargo.toml"
      "Cargo.lock"
      "nix/base/debian"
      "nix/broker/default.nix"
      "nix/release/pack.nix"
      "nix/heavy/dependencies.nix"
      "nix/programs/programs.nix"
      "nix/rust/libc.nix"
      "templates/default/flake.nix"
      "nix/tools.nix"
      "nix/update.sh"
      "nix/updating.sh"
    ];
  };
  nix = call ./nix.nix {
    inherit (tools) nixpkgs-fmt deadnix;
    source = source [ "flake.nix" "nix" ];
  };
  scripts = call ./scripts.nix {
    inherit (base) checkers;
    source = source [ "nixw" ".ci" "nix" "clients" "crates/survey/tests" ];
  };
}

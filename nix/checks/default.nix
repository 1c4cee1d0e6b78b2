# A check for each promise.
{ base, rust, tools, broker, root }:
let
  inherit (base) derive;
  inherit (broker) variants built manifests crates;

  perVariant = promise: check: builtins.listToAttrs (map
    (name: {
      name = "${promise}-${name}";
      value = check name variants.${name} built.${name};
    })
    (builtins.attrNames variants));

  call = file: arguments: import file (arguments // { inherit derive; });
  # What is published, and the oldest release of Rust that each promises to build with.
  published = builtins.listToAttrs (map
    (name: {
      inherit name;
      value = (builtins.fromTOML (builtins.readFile (root + "/crates/${name}/Cargo.toml"))).package.rust-version;
    })
    [ "fast-musl" "sized-jemalloc" ]);
  perCrate = promise: check: builtins.listToAttrs (map
    (name: { name = "${promise}-${name}"; value = check name published.${name}; })
    (builtins.attrNames published));

  source = paths: rust.source { inherit root paths; };
  code = [ "Cargo.toml" "LICENSE" "build.rs" "deny.toml" "src" "benches" "tests" "crates" "fuzz" ];
  workspace = {
    inherit manifests crates;
    source = source code;
  };
  develop = rust.cargoWith rust.develop;
in
perVariant "tests" (_: _: build: build.tests)
// perVariant "linkage" (call ./linkage.nix { inherit (base) cc glibc; })
// perVariant "info" (call ./info.nix { })
// perCrate "package" (import ./package.nix { inherit rust workspace; })
  // {
  benchmarks = call ./benchmarks.nix {
    executables = builtins.mapAttrs (_: build: build.allocations) built;
  };
  counts = call ./counts.nix {
    inherit (base) checkers;
    executables = builtins.mapAttrs (_: build: build.allocations) built;
  };
  tests-crates = import ./crates.nix { cargo = rust.cargoWith rust.build; inherit workspace; };
  tests-aarch64 = import ./aarch64.nix {
    cargo = rust.cargoWith rust.aarch64;
    inherit (base) cc aarch64 emulator;
    inherit workspace;
  };
  tests-reference = import ./reference.nix {
    cargo = rust.cargoWith rust.build;
    inherit workspace;
    inherit (base) reference;
    inherit (built.broker) common allDependencies;
  };
  ways = import ./ways.nix {
    cargo = rust.cargoWith rust.aarch64;
    inherit (base) cc linkers aarch64 emulator;
    inherit manifests crates;
    source = source [ "crates/fast-musl/build.rs" "crates/fast-musl/src" "crates/sized-jemalloc/src" ];
  };
  seed = call ./seed.nix { inherit (base) seed; inherit (broker) rebuiltSeed; };
  lints = import ./lints.nix { cargo = develop; inherit workspace; inherit (built.broker-jemalloc) common allDependencies; };
  format = call ./format.nix { toolchain = rust.develop; source = source (code ++ [ "nix/checks/ways" ]); };
  portable = import ./portable.nix { cargo = rust.cargoWith rust.portable; inherit workspace; };
  licences = import ./licences.nix { cargo = rust.cargoWith rust.build; inherit workspace; inherit (tools) cargo-deny; };
  toolchain = call ./toolchain.nix {
    toolchain = rust.build;
    pin = root + "/rust-toolchain.toml";
    lock = root + "/flake.lock";
    older = builtins.attrValues published;
  };
  nix = call ./nix.nix {
    inherit (tools) nixpkgs-fmt deadnix;
    source = source [ "flake.nix" "nix" ];
  };
  scripts = call ./scripts.nix {
    inherit (base) checkers;
    source = source [ "nixw" ".ci" "nix" "clients" ];
  };
}

# A check for each promise.
{ base, rust, lib, tools, broker, root }:
let
  inherit (base) derive;
  inherit (broker) manifests crates harness;
  variants = broker.native;
  built = builtins.mapAttrs (name: _: broker.built.${name}) variants;

  perVariant = promise: check: builtins.listToAttrs (map
    (name: {
      name = "${promise}-${name}";
      value = check name variants.${name} built.${name};
    })
    (builtins.attrNames variants));

  call = file: arguments: import file (arguments // { inherit derive; });
  source = paths: rust.source { inherit root paths; };
  code = [ "Cargo.toml" "LICENSE" "clippy.toml" "deny.toml" "src" "benches" "tests" "crates" "fuzz" ];
  workspace = {
    inherit manifests crates;
    source = source code;
  };

  # The templates name the system that they build on.
  templates = if base.system != "x86_64-linux" then { } else
  builtins.listToAttrs (map
    (name: { name = "template-${name}"; value = call ./template.nix { inherit lib; inherit (base) system; } name (root + "/templates/${name}"); })
    (builtins.attrNames (builtins.readDir (root + "/templates"))));
in
perVariant "tests" (name: _: build: harness.of name build.program)
// perVariant "linkage" (call ./linkage.nix { inherit (base) cc glibc adapt; })
// perVariant "info" (call ./info.nix { })
// templates
// import ./crates.nix { cargo = rust.cargoWith rust.build; inherit (rust.host) musl; workspace = workspace // { source = source [ "crates" ]; }; others = [ "broker" ] ++ harness.libraries; }
  // {
  inherit (harness) units;
  # For the target and with the optimisation of what is shipped.
  units-broker-static = built.broker-static.units;
  benchmarks = call ./benchmarks.nix {
    executables = builtins.mapAttrs (_: build: build.allocations) built;
  };
  counts = call ./counts.nix {
    inherit (base) checkers;
    executables = builtins.mapAttrs (_: build: build.allocations) built;
  };
  tests-leaf = harness.leaf "tests-leaf" built.broker-static.program "${base.reference}/usr/sbin/nats-server";
  # What passes with Debian's nats-server is what Broker has to pass.
  tests-reference = harness.some "tests-reference" "nats-server:${base.reference}/usr/sbin/nats-server" [ "clients" "conformance" "load" ] {
    LOAD_GENERATOR = "${built.broker.program}/bin/broker";
  };
  debian = call ./debian.nix { folder = ../base/debian; };
  overlay = call ./overlay.nix {
    inherit lib;
    inherit (broker) packages;
    overlay = import ../overlay.nix { packages.${base.system} = broker.packages; lib.${base.system} = lib; };
    inherit (base) system;
  };
  vendored = call ./vendored.nix { inherit lib; };
  lints = import ./lints.nix { inherit (workspace) source; inherit (harness) project dependencies; };
  format = call ./format.nix { toolchain = rust.develop; source = source (code ++ [ "nix/heavy" "nix/programs" "nix/release/pack" "templates" ]); };
  portable = import ./portable.nix { cargo = rust.cargoWith rust.portable; inherit workspace; };
  licences = import ./licences.nix { cargo = rust.cargoWith rust.build; inherit workspace; inherit (tools) cargo-deny; };
  toolchain = call ./toolchain.nix { toolchain = rust.build; inherit root; older = broker.published // { seed = broker.seedRelease; }; };
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

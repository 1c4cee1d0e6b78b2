# A check for each promise.
{ base, rust, lib, tools, workspace, broker }:
let
  inherit (base) derive;
  inherit (workspace) root source files;
  inherit (broker) harness;
  variants = broker.native;
  built = builtins.mapAttrs (name: _: broker.built.${name}) variants;

  perVariant = promise: check: builtins.listToAttrs (map
    (name: {
      name = "${promise}-${name}";
      value = check name variants.${name} built.${name};
    })
    (builtins.attrNames variants));

  call = file: arguments: import file (arguments // { inherit derive; });
  code = [ "Cargo.toml" "LICENSE" "clippy.toml" "deny.toml" "src" "benches" "tests" "crates" "fuzz" ];

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
// import ./tests-crates.nix { cargo = rust.cargoWith rust.toolchains.build; inherit (rust.host) musl; workspace = files [ "crates" ]; others = [ "broker" ] ++ harness.libraries; }
  // {
  inherit (harness) units;
  # For the target and with the optimisation of what is shipped.
  units-broker-static = built.broker-static.units;
  benchmarks = call ./benchmarks.nix {
    executables = builtins.mapAttrs (_: build: build.benchmark) built;
  };
  counts = call ./counts.nix {
    inherit (base) checkers;
    executables = builtins.mapAttrs (_: build: build.benchmark) built;
  };
  tests-leaf = harness.leaf "tests-leaf" built.broker-static.program "${base.natsServer}/usr/sbin/nats-server";
  # What passes with Debian's nats-server is what Broker has to pass.
  tests-reference = harness.some "tests-reference" "nats-server:${base.natsServer}/usr/sbin/nats-server" [ "clients" "conformance" "load" ] {
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
  lints = import ./lints.nix { source = source code; inherit (harness) project dependencies; };
  format = call ./format.nix { toolchain = rust.toolchains.develop; source = source (code ++ [ "nix/heavy" "nix/programs" "nix/release/pack" "templates" ]); };
  portable = import ./portable.nix { cargo = rust.cargoWith rust.toolchains.portable; workspace = files code; };
  licences = import ./licences.nix { cargo = rust.cargoWith rust.toolchains.build; workspace = files code; inherit (tools) cargo-deny; };
  toolchain = call ./toolchain.nix { toolchain = rust.toolchains.build; inherit root; older = workspace.rustVersions; };
  update = call ./update.nix {
    source = source [
      "flake.nix"
      "flake.lock"
      "rust-toolchain.toml"
      "Cargo.toml"
      "Cargo.lock"
      "nix/base/debian"
      "nix/workspace/default.nix"
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

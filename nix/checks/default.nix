# One check for each promise.
{ base, rust, lib, tools, workspace, broker }:
let
  inherit (builtins) attrNames listToAttrs mapAttrs readDir;
  inherit (base) derive;
  inherit (workspace) root source files;
  inherit (broker) harness;
  variants = broker.native;
  built = mapAttrs (name: _: broker.built.${name}) variants;
  benchmarks = mapAttrs (_: build: build.benchmark) built;
  natsServer = "${base.natsServer}/usr/sbin/nats-server";

  perVariant = promise: check: listToAttrs (map
    (name: { name = "${promise}-${name}"; value = check name variants.${name} built.${name}; })
    (attrNames variants));

  code = [ "Cargo.toml" "LICENSE" "clippy.toml" "deny.toml" "src" "benches" "tests" "crates" "fuzz" ];

  # The templates name the system that they are built on.
  templates = if base.system != "x86_64-linux" then { } else
  listToAttrs (map
    (name: {
      name = "template-${name}";
      value = import ./template.nix { inherit derive lib; inherit (base) system; } name (root + "/templates/${name}");
    })
    (attrNames (readDir (root + "/templates"))));
in
perVariant "tests" (name: _: build: harness.of name build.program)
// perVariant "linkage" (import ./linkage.nix { inherit derive; inherit (base) cc glibc adapt; })
// perVariant "info" (import ./info.nix { inherit derive; })
// templates
// import ./tests-crates.nix {
  cargo = rust.cargoWith rust.toolchains.build;
  inherit (rust.host) musl;
  files = files [ "crates" ];
  excluded = [ "broker" ] ++ harness.libraries;
  inherit (broker) jemalloc;
}
  // {
  inherit (harness) units;
  # For the target and with the optimisation of the shipped variant.
  units-broker-static = built.broker-static.units;
  benchmarks = import ./benchmarks.nix { inherit derive benchmarks; };
  counts = import ./counts.nix { inherit derive benchmarks; inherit (base) checkers; };
  tests-leaf = harness.leaf "tests-leaf" built.broker-static.program natsServer;
  # The tests of NATS behaviour also pass with Debian's nats-server.
  tests-reference = harness.some "tests-reference" "nats-server:${natsServer}" [ "clients" "conformance" "load" ] {
    LOAD_GENERATOR = "${built.broker.program}/bin/broker";
  };
  docs = import ./docs.nix {
    inherit derive natsServer;
    inherit (built.broker-static) program;
    source = source (code ++ [ "README.md" "CONTRIBUTING.md" "CHANGELOG.md" "SECURITY.md" "docs" "clients" "nix" "templates" ]);
  };
  debian = import ./debian.nix { inherit derive; folder = ../base/debian; };
  overlay = import ./overlay.nix {
    inherit derive lib;
    inherit (broker) packages;
    overlay = import ../overlay.nix { packages.${base.system} = broker.packages; lib.${base.system} = lib; };
    inherit (base) system;
  };
  vendored = import ./vendored.nix { inherit derive lib; };
  lints = import ./lints.nix { source = source code; inherit (harness) project dependencies; };
  format = import ./format.nix {
    inherit derive;
    toolchain = rust.toolchains.develop;
    source = source (code ++ [ "nix/heavy" "nix/programs" "nix/release/pack" "templates" ]);
  };
  portable = import ./portable.nix { cargo = rust.cargoWith rust.toolchains.portable; files = files code; };
  licences = lib.deny {
    name = "workspace";
    src = root;
    package = "broker";
    inherit (workspace) vendor;
    musl = "stock";
    allocator = "system";
    paths = code;
  };
  toolchain = import ./toolchain.nix { inherit derive root; toolchain = rust.toolchains.build; older = workspace.rustVersions; };
  update = import ./update.nix {
    inherit derive;
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
  nix = import ./nix.nix {
    inherit derive;
    inherit (tools) nixpkgs-fmt deadnix;
    source = source [ "flake.nix" "nix" ];
  };
  scripts = import ./scripts.nix {
    inherit derive;
    inherit (base) checkers;
    source = source [ "nixw" ".ci" "nix" "clients" "crates/survey/tests" ];
  };
}

{
  description = "Broker: a message broker as one static Linux file, without the musl penalty";

  # The archives of Rust's release. rust-toolchain.toml names the same version, which a check compares.
  inputs = {
    rustc = { url = "https://static.rust-lang.org/dist/2026-10-15/rustc-1.99.1-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo = { url = "https://static.rust-lang.org/dist/2026-10-15/cargo-1.99.1-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    clippy = { url = "https://static.rust-lang.org/dist/2026-10-15/clippy-1.99.1-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rustfmt = { url = "https://static.rust-lang.org/dist/2026-10-15/rustfmt-1.99.1-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-analyzer = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-analyzer-1.99.1-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-src = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-src-1.99.1.tar.xz"; flake = false; };
    rust-std-glibc = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-std-1.99.1-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-musl = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-std-1.99.1-x86_64-unknown-linux-musl.tar.xz"; flake = false; };
    rust-std-musl-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-std-1.99.1-aarch64-unknown-linux-musl.tar.xz"; flake = false; };
    rust-std-windows = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-std-1.99.1-x86_64-pc-windows-gnu.tar.xz"; flake = false; };
    rust-std-macos = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-std-1.99.1-aarch64-apple-darwin.tar.xz"; flake = false; };

    # The same for aarch64 build machines; the standard library for musl is above.
    rustc-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/rustc-1.99.1-aarch64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/cargo-1.99.1-aarch64-unknown-linux-gnu.tar.xz"; flake = false; };
    clippy-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/clippy-1.99.1-aarch64-unknown-linux-gnu.tar.xz"; flake = false; };
    rustfmt-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/rustfmt-1.99.1-aarch64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-analyzer-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-analyzer-1.99.1-aarch64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-glibc-aarch64 = { url = "https://static.rust-lang.org/dist/2026-10-15/rust-std-1.99.1-aarch64-unknown-linux-gnu.tar.xz"; flake = false; };

    # The release that the seeds (crates/seed) were built with, for the check that rebuilds them.
    rustc-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-glibc-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-musl-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-unknown-linux-musl.tar.xz"; flake = false; };
    rust-std-musl-aarch64-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-aarch64-unknown-linux-musl.tar.xz"; flake = false; };

    # The oldest release that the published crates support (`rust-version`).
    rustc-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/rustc-1.88.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/cargo-1.88.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-glibc-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/rust-std-1.88.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-musl-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/rust-std-1.88.0-x86_64-unknown-linux-musl.tar.xz"; flake = false; };
  };

  outputs = components:
    let
      # The outputs for one system.
      on = system: _:
        let
          base = import ./nix/base { inherit system; };
          rust = import ./nix/rust { inherit base components; version = (builtins.fromTOML (builtins.readFile ./rust-toolchain.toml)).toolchain.channel; };
          tools = import ./nix/tools.nix { inherit (rust) tool; };
          workspace = import ./nix/workspace { inherit rust; root = ./.; };
          lib = import ./nix/lib { inherit base rust tools; inherit (workspace.executables) inspect; };
          broker = import ./nix/broker { inherit (base) derive; inherit lib rust workspace; };
          bench = import ./nix/bench.nix { inherit base broker; inherit (workspace) executables; };
          programs = import ./nix/programs { inherit base lib bench; inherit (components) rust-src; };
          heavy = import ./nix/heavy { inherit base rust lib workspace broker programs; };
        in
        {
          inherit lib;
          inherit (broker) packages;
          checks = import ./nix/checks { inherit base rust lib tools workspace broker; };
          devShells.default = lib.devShell {
            name = "broker-develop";
            # Broker's crates bring the routines and the allocator.
            musl = "stock";
            allocator = "system";
            nativeInputs = [ tools.cargo-deny tools.nixpkgs-fmt tools.deadnix ];
          };
          apps = import ./nix/apps.nix { inherit base broker bench; inherit (workspace) executables; flake = components.self; };
          formatter = tools.nixpkgs-fmt;
          # The parts, so that each can be built: `nix build .#base.cc`.
          legacyPackages = {
            inherit base rust tools programs;
            rebuiltSeeds = workspace.seeds;
            # The programs in a release.
            released = builtins.mapAttrs (_: build: lib.build build.released) broker.built;
            heavy = import ./nix/heavy/all.nix { inherit (base) derive; parts = heavy; };
            refusals = import ./nix/checks/refusals { inherit lib; };
          };
        };
      machines = builtins.mapAttrs on (import ./nix/base/architectures.nix);
      output = name: builtins.mapAttrs (_: machine: machine.${name}) machines;
    in
    {
      lib = output "lib";
      overlays.default = import ./nix/overlay.nix { packages = output "packages"; lib = output "lib"; };
      packages = output "packages";
      checks = output "checks";
      devShells = output "devShells";
      templates = {
        default = { path = ./templates/default; description = "A program as one static Linux file"; };
        workspace = { path = ./templates/workspace; description = "A workspace whose program is one static Linux file"; };
      };
      apps = output "apps";
      formatter = output "formatter";

      legacyPackages =
        let
          unsupported = throw "Broker's flake builds on Linux only, on x86_64 and aarch64; a static binary from there runs on any Linux of its architecture";
          none = builtins.mapAttrs (_: _: unsupported) machines.x86_64-linux.packages;
        in
        { x86_64-darwin = none; aarch64-darwin = none; } // output "legacyPackages";
    };
}

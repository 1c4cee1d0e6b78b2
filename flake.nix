{
  description = "Broker: a message broker as one static Linux file, without the musl penalty";

  # Rust's release, as its server hands it out. rust-toolchain.toml names the same version, and a check holds them equal.
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

    # The release that the seed was built by (crates/seed), for the check that it still comes of its source.
    rustc-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-glibc-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-musl-1-95 = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-unknown-linux-musl.tar.xz"; flake = false; };

    # The oldest release that the published crates promise to build with (`rust-version`).
    rustc-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/rustc-1.88.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/cargo-1.88.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-glibc-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/rust-std-1.88.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-musl-1-88 = { url = "https://static.rust-lang.org/dist/2025-06-26/rust-std-1.88.0-x86_64-unknown-linux-musl.tar.xz"; flake = false; };
  };

  outputs = components:
    let
      system = "x86_64-linux";
      base = import ./nix/base { inherit system; };
      rust = import ./nix/rust { inherit base components; version = (builtins.fromTOML (builtins.readFile ./rust-toolchain.toml)).toolchain.channel; };
      tools = import ./nix/tools.nix { inherit (rust) tool; };
      lib = import ./nix/lib { inherit base rust tools; inherit (broker) inspect; };
      broker = import ./nix/broker { inherit lib rust; root = ./.; };
      bench = import ./nix/bench.nix { inherit base broker; };
      programs = import ./nix/programs { inherit base lib bench; inherit (components) rust-src; };
      heavy = import ./nix/heavy { inherit base rust lib broker programs; root = ./.; };
    in
    {
      lib.${system} = lib;
      overlays.default = import ./nix/overlay.nix { packages.${system} = broker.packages; lib.${system} = lib; };
      packages.${system} = broker.packages;
      checks.${system} = import ./nix/checks { inherit base rust lib tools broker; root = ./.; };
      devShells.${system}.default = lib.devShell {
        name = "broker-develop";
        # Broker brings routines and allocator by crates.
        musl = "stock";
        allocator = "system";
        nativeInputs = [ tools.cargo-deny tools.nixpkgs-fmt tools.deadnix ];
      };
      templates = {
        default = { path = ./templates/default; description = "A program as one static Linux file"; };
        workspace = { path = ./templates/workspace; description = "A workspace whose program is one static Linux file"; };
      };
      apps.${system} = import ./nix/apps.nix { inherit base broker bench; flake = components.self; };
      formatter.${system} = tools.nixpkgs-fmt;

      # The parts, for a look at them: `nix build .#base.cc`.
      legacyPackages =
        let
          unsupported = throw "Broker's flake builds on x86_64-linux only; a static binary from there runs on any x86_64 Linux";
          none = builtins.mapAttrs (_: _: unsupported) broker.packages;
        in
        {
          ${system} = {
            inherit base rust tools programs;
            # No package, since `flake check` evaluates those, and this fetches programs of others to evaluate them.
            heavy = heavy // base.derive { name = "heavy"; results = builtins.attrValues heavy; script = "echo $results >$out"; } // { parts = heavy; };
            refusals = import ./nix/checks/refusals { inherit lib; };
            inherit (broker) rebuiltSeed;
          };
        }
        // builtins.listToAttrs (map (name: { inherit name; value = none; }) [ "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ]);
    };
}

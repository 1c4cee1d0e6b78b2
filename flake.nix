{
  description = "Broker: a message broker as one static Linux file, without the musl penalty";

  # Rust's release, as its server hands it out. rust-toolchain.toml names the same version, and a check holds them equal.
  inputs = {
    rustc = { url = "https://static.rust-lang.org/dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    cargo = { url = "https://static.rust-lang.org/dist/2026-04-16/cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    clippy = { url = "https://static.rust-lang.org/dist/2026-04-16/clippy-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rustfmt = { url = "https://static.rust-lang.org/dist/2026-04-16/rustfmt-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-analyzer = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-analyzer-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-src = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-src-1.95.0.tar.xz"; flake = false; };
    rust-std-glibc = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz"; flake = false; };
    rust-std-musl = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-unknown-linux-musl.tar.xz"; flake = false; };
    rust-std-musl-aarch64 = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-aarch64-unknown-linux-musl.tar.xz"; flake = false; };
    rust-std-windows = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-x86_64-pc-windows-gnu.tar.xz"; flake = false; };
    rust-std-macos = { url = "https://static.rust-lang.org/dist/2026-04-16/rust-std-1.95.0-aarch64-apple-darwin.tar.xz"; flake = false; };

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
      rust = import ./nix/rust { inherit base components; };
      tools = import ./nix/tools.nix { inherit (rust) tool; };
      broker = import ./nix/broker { inherit rust; root = ./.; };
    in
    {
      packages.${system} = broker.packages;
      checks.${system} = import ./nix/checks { inherit base rust tools broker; root = ./.; };
      devShells.${system}.default = import ./nix/shell.nix { inherit base rust tools; };
      apps.${system} = import ./nix/apps.nix { inherit base broker; };
      formatter.${system} = tools.nixpkgs-fmt;

      # The parts, for a look at them: `nix build .#base.cc`.
      legacyPackages =
        let
          unsupported = throw "Broker's flake builds on x86_64-linux only; a static binary from there runs on any x86_64 Linux";
          none = builtins.mapAttrs (_: _: unsupported) broker.packages;
        in
        { ${system} = { inherit base rust tools; inherit (broker) rebuiltSeed; }; }
        // builtins.listToAttrs (map (name: { inherit name; value = none; }) [ "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ]);
    };
}

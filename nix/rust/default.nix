# The Rust pipeline on the base: toolchain -> manifests -> crates -> cargo commands.
{ base, components }:
let
  inherit (base) derive shell glibc patchelf cc tools certificates;
  toolchain = import ./toolchain.nix { inherit derive glibc patchelf; };
  select = names: map (name: components.${name}) names;
  minimal = [ "rustc" "cargo" "rust-std-glibc" "rust-std-musl" ];
in
rec {
  # The compiler alone for the packages; with the tools for checks and the development shell.
  build = toolchain { name = "rust"; components = select minimal; };
  develop = toolchain {
    name = "rust-develop";
    components = select (minimal ++ [ "clippy" "rustfmt" "rust-analyzer" "rust-src" ]);
  };
  portable = toolchain {
    name = "rust-portable";
    components = select (minimal ++ [ "rust-std-windows" "rust-std-macos" ]);
  };
  aarch64 = toolchain { name = "rust-aarch64"; components = select (minimal ++ [ "rust-std-musl-aarch64" ]); };
  # An older release, as `rust-version` in a Cargo.toml names it.
  release = version: toolchain {
    name = "rust-${version}";
    components = select (map (component: "${component}-${builtins.replaceStrings [ "." ] [ "-" ] version}") minimal);
  };

  environment = import ./environment.nix { inherit cc; };
  manifests = import ./manifests.nix { inherit derive; };
  source = import ./source.nix;
  fetch = import ./fetch.nix { inherit derive certificates; toolchain = build; };
  scripts = import ./scripts.nix { inherit derive shell; };
  fetchCrates = import ./crates.nix { inherit fetch; };
  crates = arguments: scripts (fetchCrates arguments);
  cargoWith = toolchain: import ./cargo.nix { inherit derive toolchain cc tools environment; };
  tool = import ./tool.nix { inherit fetch scripts; cargo = cargoWith build; };
}

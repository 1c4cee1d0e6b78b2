# The Rust pipeline on the base: toolchain -> manifests -> crates -> cargo commands.
{ base, components, version }:
let
  inherit (base) derive shell glibc patchelf cc tools certificates architecture;
  toolchain = import ./toolchain.nix { inherit derive glibc patchelf; inherit (base) adapt; };
  sysroot = import ./sysroot.nix { inherit derive shell; };
  own = map (component: "${component}${architecture.inputs}");
  minimal = own [ "rustc" "cargo" "rust-std-glibc" "rust-std-musl" ];
  others = builtins.attrValues architecture.foreign;
  older = version: map (component: "${component}-${builtins.replaceStrings [ "." ] [ "-" ] version}");
  files = name: parts: toolchain { inherit name; components = map (part: components.${part}) parts; };
in
rec {
  inherit version components;
  # Rust's released files, made to run: the compiler alone for the packages, and with more for checks and the shell.
  released = {
    rust = files "rust" minimal;
    rust-develop = files "rust-develop" (minimal ++ own [ "clippy" "rustfmt" "rust-analyzer" ] ++ [ "rust-src" ] ++ others);
    rust-portable = files "rust-portable" (minimal ++ [ "rust-std-windows" "rust-std-macos" ]);
    rust-aarch64 = files "rust-aarch64" (minimal ++ others);
  };
  # The same as builds use them.
  stock = name: toolchain: sysroot { inherit name toolchain; };
  build = stock "rust" released.rust;
  develop = stock "rust-develop" released.rust-develop;
  portable = stock "rust-portable" released.rust-portable;
  aarch64 = stock "rust-aarch64" released.rust-aarch64;
  # An older release, as `rust-version` in a Cargo.toml names it.
  release = version: releaseFor version [ ];
  # The same with the standard library for other targets.
  releaseFor = version: more: stock "rust-${version}" (files "rust-${version}" (older version (minimal ++ more)));

  # The triples of the machine that builds, with each C library.
  host = architecture.rust;
  # The other targets that it builds for.
  inherit (architecture) foreign;
  targets = import ./targets.nix { inherit base; };
  environment = import ./environment.nix { inherit cc targets; };
  cxx = import ./cxx.nix { inherit derive targets; };
  manifests = import ./manifests.nix { inherit derive; };
  source = import ./source.nix;
  fetch = import ./fetch.nix { inherit derive certificates version; toolchain = build; };
  scripts = import ./scripts.nix { inherit derive shell; gitSources = import ./gitSources.nix; };
  fetchCrates = import ./crates.nix { inherit fetch; };
  crates = arguments: scripts { fetched = fetchCrates arguments; inherit (arguments) lock; };
  cargoWith = toolchain: import ./cargo.nix { inherit derive toolchain cc tools host targets environment; };
  fetchCrate = import ./fetchCrate.nix { inherit fetch; };
  tool = import ./tool.nix { inherit fetchCrate scripts; cargo = cargoWith build; };
  libc = import ./libc.nix { inherit derive cc crates source; };
  # libc.a for a target of the toolchain.
  archive = toolchain: parts: libc.archive (parts // { inherit toolchain; cargo = cargoWith (stock "rust" toolchain); });
  workspace = import ./workspace.nix;
  inherit sysroot;
}

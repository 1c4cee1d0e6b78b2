# The Rust pipeline on the base: toolchain -> manifests -> crates -> cargo commands.
#
# `components` are the parts of Rust's releases, by the names of the flake's inputs.
{ base, components, version }:
let
  inherit (builtins) attrValues replaceStrings;
  inherit (base) derive shell glibc patchelf cc buildTools certificates architecture;
  toolchain = import ./toolchain.nix { inherit derive glibc patchelf; inherit (base) adapt; };
  sysroot = import ./sysroot.nix { inherit derive shell; };
  # A toolchain from inputs with these names.
  fromInputs = name: inputs: toolchain { inherit name; components = map (input: components.${input}) inputs; };
  # The input of a component that runs on the machine that builds.
  forHost = map (component: "${component}${architecture.inputs}");
  minimal = forHost [ "rustc" "cargo" "rust-std-glibc" "rust-std-musl" ];
  foreignStd = attrValues architecture.foreign;
  # The same standard library that the release has.
  stock = name: toolchain: sysroot { inherit name toolchain; };
in
rec {
  inherit version components sysroot;

  # Rust's released files, made to run: the compiler alone for packages, and more for the checks and the shell.
  unwrapped = {
    build = fromInputs "rust" minimal;
    develop = fromInputs "rust-develop" (minimal ++ forHost [ "clippy" "rustfmt" "rust-analyzer" ] ++ [ "rust-src" ] ++ foreignStd);
    portable = fromInputs "rust-portable" (minimal ++ [ "rust-std-windows" "rust-std-macos" ]);
    aarch64 = fromInputs "rust-aarch64" (minimal ++ foreignStd);
  };
  # The same with the wrappers that builds use (sysroot.nix).
  toolchains = builtins.mapAttrs (_: toolchain: stock toolchain.name toolchain) unwrapped;
  # An older release, named as by `rust-version` in a Cargo.toml, with more components than the minimum.
  olderToolchain = version: more:
    let
      name = "rust-${version}";
      input = component: "${component}-${replaceStrings [ "." ] [ "-" ] version}";
    in
    stock name (fromInputs name (map input (minimal ++ more)));

  # The triples of the machine that builds, with each C library.
  host = architecture.rust;
  # The other targets that it builds for.
  inherit (architecture) foreign;
  targets = import ./targets.nix { inherit base; };
  environment = import ./environment.nix { inherit cc targets; };
  cxx = import ./cxx.nix { inherit derive targets; };

  workspace = import ./workspace.nix;
  source = import ./source.nix;
  manifests = import ./manifests.nix { inherit derive; };
  fetch = import ./fetch.nix { inherit derive certificates version; toolchain = toolchains.build; };
  vendor = import ./vendor.nix { inherit fetch; };
  fetchCrate = import ./fetchCrate.nix { inherit fetch; };
  crates = import ./crates.nix { inherit derive shell; gitSources = import ./gitSources.nix; };
  cargoWith = toolchain: import ./cargo.nix { inherit derive toolchain cc buildTools host targets environment; };
  tool = import ./tool.nix { inherit fetchCrate crates; cargo = cargoWith toolchains.build; };

  libc = import ./libc.nix { inherit derive cc vendor crates source; };
  # libc.a for a target of an unwrapped toolchain.
  libcArchive = toolchain: parts: libc.archive (parts // { inherit toolchain; cargo = cargoWith (stock "rust" toolchain); });
}

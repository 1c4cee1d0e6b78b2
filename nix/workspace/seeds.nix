# The seeds of all bases (nix/base), by system, built from their source with the release of Rust that the committed seeds
# were built with.
{ rust, files, rustVersion }:
let
  executable = import ./executable.nix { inherit rust files; };
  seed = target: components: executable {
    name = "seed";
    profile = "seed";
    inherit target;
    toolchain = rust.olderToolchain rustVersion components;
  };
in
{
  x86_64-linux = seed "x86_64-unknown-linux-musl" [ ];
  aarch64-linux = seed "aarch64-unknown-linux-musl" [ "rust-std-musl-aarch64" ];
}

# The seeds of all bases (nix/base), by system, built from their source with the release of Rust that the committed seeds
# were built with.
{ rust, files, rustVersion }:
let
  program = import ./program.nix { inherit rust files; };
  seed = target: components: program {
    name = "seed";
    profile = "seed";
    inherit target;
    toolchain = rust.releaseFor rustVersion components;
  };
in
{
  x86_64-linux = seed "x86_64-unknown-linux-musl" [ ];
  aarch64-linux = seed "aarch64-unknown-linux-musl" [ "rust-std-musl-aarch64" ];
}

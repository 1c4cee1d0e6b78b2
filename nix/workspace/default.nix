# The Cargo workspace of this repository: its manifests, its locked crates, its source, and its executables other than Broker.
{ rust, root }:
let
  inherit (builtins) fromTOML listToAttrs readFile;
  lock = root + "/Cargo.lock";

  manifests = rust.manifests { workspace = rust.workspace { inherit root; }; };
  vendor = rust.vendor {
    inherit manifests lock;
    hash = "sha256-a8LWUVlnEnPij4p8CT3nFOfw0c5f6GywSs+N3A8z2bY=";
  };
  crates = rust.crates { inherit vendor lock; };
  source = paths: rust.source { inherit root paths; };

  # The code of the crates that programs are linked with, without their tests.
  linked = {
    fast-musl = [ "crates/fast-musl/build.rs" "crates/fast-musl/src" ];
    sized-jemalloc = [ "crates/sized-jemalloc/src" ];
  };
  published = [ "fast-musl" "sized-jemalloc" ];
  rustVersionOf = name: (fromTOML (readFile (root + "/crates/${name}/Cargo.toml"))).package.rust-version;
in
rec {
  inherit root manifests vendor crates source linked published;

  # The arguments of a cargo command over these files and folders of the workspace.
  files = paths: { inherit manifests crates; source = source paths; };

  # The crates whose `rust-version` is not the workspace's: published crates name the oldest release of Rust that they
  # support, the seed names the release that the committed seeds were built with.
  rustVersions = listToAttrs (map (name: { inherit name; value = rustVersionOf name; }) (published ++ [ "seed" ]));

  executables = import ./executables.nix { inherit rust files linked; };
  seeds = import ./seeds.nix { inherit rust files; rustVersion = rustVersions.seed; };
}

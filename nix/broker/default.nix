# Broker and its benchmark in every variant, and the checks on them.
{ rust, root }:
let
  variants = import ./variants.nix;
  manifests = rust.manifests { inherit root; };
  crates = rust.crates {
    inherit manifests;
    lock = root + "/Cargo.lock";
    hash = "sha256-3a1Eb1Vl/NpVLe3jnGxxbAqT10mDQZH14H2CubpP13U=";
  };
  package = import ./package.nix { inherit rust root crates manifests; };
  built = builtins.mapAttrs package variants;
in
{
  inherit variants built manifests crates;

  # The base's seed, from its source (see nix/base).
  rebuiltSeed = rust.cargoWith rust.build {
    name = "seed";
    inherit manifests crates;
    source = rust.source { inherit root; paths = [ "crates/seed" ]; };
    command = ''
      cargo build --locked --package seed --profile seed --target x86_64-unknown-linux-musl
      install -D -t $out/bin target/x86_64-unknown-linux-musl/seed/seed
    '';
  };

  # Measures the variants against each other; static, so that its own memory does not matter beside theirs.
  report = rust.cargoWith rust.build {
    name = "report";
    inherit manifests crates;
    source = rust.source { inherit root; paths = [ "crates/report" ]; };
    command = ''
      cargo build --locked --package report --release --target x86_64-unknown-linux-musl
      install -D -t $out/bin target/x86_64-unknown-linux-musl/release/report
    '';
  };

  # Writes nix/base/debian/debian.json.
  debianLock = rust.cargoWith rust.build {
    name = "debian-lock";
    inherit manifests crates;
    source = rust.source { inherit root; paths = [ "crates/debian-lock" ]; };
    command = ''
      cargo build --locked --package debian-lock
      install -D -t $out/bin target/debug/debian-lock
    '';
  };

  packages =
    builtins.mapAttrs (_: build: build.program) built
    // builtins.listToAttrs (map
      (name: { name = variants.${name}.allocations; value = built.${name}.allocations; })
      (builtins.attrNames variants))
    // { default = built.broker-static.program; };
}

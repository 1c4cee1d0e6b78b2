# The program of a published crate, for this machine. `patch` is shell text that changes its source.
{ fetchCrate, crates, cargo }:
{ name, version, hash, patch ? "" }:
let
  crate = fetchCrate { inherit name version hash; };
in
cargo {
  inherit name;
  manifests = crate.src;
  crates = crates { inherit (crate) vendor; };
  command = patch + "cargo install --path . --locked --root $out --no-track";
}

# A program from a crate, at a version, for this machine.
{ fetchCrate, scripts, cargo }:
{ name, version, hash, flags ? "" }:
let
  fetched = fetchCrate { inherit name version hash; };
in
cargo {
  inherit name flags;
  manifests = "${fetched}/source";
  crates = scripts { fetched = "${fetched}/crates"; };
  command = "cargo install --path . --locked --root $out --no-track $flags";
}

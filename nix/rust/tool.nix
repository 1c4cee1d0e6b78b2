# A program from a crate, at a version, for this machine; `patch` is a script that changes its source.
{ fetchCrate, scripts, cargo }:
{ name, version, hash, flags ? "", patch ? "" }:
let
  fetched = fetchCrate { inherit name version hash; };
in
cargo {
  inherit name flags;
  manifests = "${fetched}/source";
  crates = scripts { fetched = "${fetched}/crates"; };
  command = patch + "cargo install --path . --locked --root $out --no-track $flags";
}

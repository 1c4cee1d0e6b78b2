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
  # A tool runs for a second, and optimising it takes minutes.
  CARGO_PROFILE_RELEASE_OPT_LEVEL = "0";
  CARGO_PROFILE_RELEASE_LTO = "off";
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS = "16";
  command = patch + "cargo install --path . --locked --root $out --no-track";
}

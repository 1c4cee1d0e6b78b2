# A published crate at a version, with the dependencies that its own Cargo.lock names: arguments for buildStatic and the
# others, to which more can be added with `//`. `hash` covers all of it; leave it out, and Nix says what to write.
{ fetchCrate }:
{ name, version, hash ? "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }:
let
  fetched = fetchCrate { inherit name version hash; };
in
{
  src = "${fetched}/source";
  vendor = "${fetched}/crates";
}

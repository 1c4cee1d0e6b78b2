# The crates of a Cargo.lock, fetched by cargo itself: cargo knows where they are and checks each against the lock.
#
# `hash` covers them all; Nix prints the right one when the lock has changed, since the name then changes too.
{ derive, toolchain, certificates }:
{ manifests, lock, hash }:
derive {
  name = "crates-${builtins.substring 0 12 (builtins.hashFile "sha256" lock)}";
  inherit manifests certificates;
  tools = [ toolchain ];
  script = ./crates.sh;

  outputHashMode = "recursive";
  outputHashAlgo = "sha256";
  outputHash = hash;
  impureEnvVars = [ "http_proxy" "https_proxy" "no_proxy" "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" ];
}

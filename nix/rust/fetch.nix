# A fixed-output derivation, which may fetch from crate registries with cargo because its `hash` is known. Releases of cargo lay
# out the same crates in different ways, so the name contains cargo's `version`: otherwise a result in the store that another
# release fetched would hide that the hash is wrong for this one.
{ derive, toolchain, certificates, version }:
{ name, hash, script, ... }@arguments:
derive (
  removeAttrs arguments [ "hash" ]
    // {
    name = "${name}-by-cargo-${version}";
    inherit certificates;
    nativeInputs = [ toolchain ];
    script = ./fetch.sh;
    fetch = script;

    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    # A wrong hash, not a missing one, makes Nix report the right one.
    outputHash = if hash == "" then "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" else hash;
    impureEnvVars = [ "http_proxy" "https_proxy" "no_proxy" "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" ];
  }
)

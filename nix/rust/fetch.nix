# A derivation that may fetch from crate registries with cargo, since its `hash` is known. Releases of cargo lay out the
# same crates in different ways, so the name has cargo's `version`: a hash of another one's is not taken for granted where
# its result is still in the store.
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

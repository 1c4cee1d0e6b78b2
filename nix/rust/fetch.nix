# A derivation that may fetch from crate registries with cargo, since its `hash` is known.
{ derive, toolchain, certificates }:
{ hash, script, ... }@arguments:
derive (
  removeAttrs arguments [ "hash" ]
    // {
    inherit certificates;
    tools = [ toolchain ];
    script = ./fetch.sh;
    fetch = script;

    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    outputHash = hash;
    impureEnvVars = [ "http_proxy" "https_proxy" "no_proxy" "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" ];
  }
)

# Programs that the checks run, from crates.
{ tool }:
{
  nixpkgs-fmt = tool {
    name = "nixpkgs-fmt";
    version = "1.3.0";
    hash = "sha256-rnMSRSvB5VeT3GfyRF6Qs6Zd/eDkYcuHCJSi+U3OSQI=";
  };
  deadnix = tool {
    name = "deadnix";
    version = "1.3.1";
    hash = "sha256-r7znMWuXFYvFpg0KhzstIHH3EH00bRv5kIDYSJapjys=";
  };
  cargo-deny = tool {
    name = "cargo-deny";
    version = "0.20.2";
    hash = "sha256-7VgVKBzVA4R7YtsuUj0Jc37t2Dvr2Jj41RQciEj0PK0=";
  };
}

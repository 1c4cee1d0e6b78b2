# Tools built from published crates, for the checks, releases and the development shell.
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
  cargo-auditable = tool {
    name = "cargo-auditable";
    version = "0.7.7";
    # It passes features to cargo without a package name. Cargo fails if another member of the workspace lacks such a feature, so
    # the patch adds the package's name.
    patch = ''
      sed -i 's|features.iter().map(.s. s.to_string())|features.iter().map(\|s\| format!("{}/{s}", std::env::var("CARGO_PKG_NAME").unwrap()))|' \
        src/collect_audit_data.rs
      grep -q CARGO_PKG_NAME src/collect_audit_data.rs
    '';
    hash = "sha256-+YkFiYJ+xDJ/FaKhXxqN1vh8Ohy6nSM0TFxAmaP60HI=";
  };
  cargo-cyclonedx = tool {
    name = "cargo-cyclonedx";
    version = "0.5.9";
    hash = "sha256-YN+PXJtunsELmkHHQmMmMkaAij+5Rb1xl6ytTeG3/KA=";
  };
}

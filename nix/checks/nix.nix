# The Nix files are formatted and contain no unused code.
{ derive, nixpkgs-fmt, deadnix, source }:
derive {
  name = "nix";
  inherit source;
  nativeInputs = [ nixpkgs-fmt deadnix ];
  script = ''
    nixpkgs-fmt --check $source
    deadnix --fail --no-lambda-pattern-names $source
    echo formatted >$out
  '';
}

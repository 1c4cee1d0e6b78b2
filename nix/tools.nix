# Programs that the checks run, from crates.
{ tool }:
{
  nixpkgs-fmt = tool {
    name = "nixpkgs-fmt";
    version = "1.3.0";
    hash = "sha256-/h3knHYeln2RKcibhjIeaH7rMyYal8QYf9ft/NwlsjM=";
  };
  deadnix = tool {
    name = "deadnix";
    version = "1.3.1";
    hash = "sha256-bAwgzX0gIXFO4c7EyoAhENWsh9fr2R3bOi57x1WkQJg=";
  };
  cargo-deny = tool {
    name = "cargo-deny";
    version = "0.20.2";
    hash = "sha256-q8Rwg/XNwIbdigK7CYVbBUUKdMeT7nd6JXd+DR2+FTg=";
  };
}

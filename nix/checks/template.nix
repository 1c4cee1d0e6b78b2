# Builds the packages and checks of a template as `nix flake init -t` creates it, with this flake as its input.
{ derive, lib, system }:
name: folder:
let
  self = { outPath = folder; };
  outputs = (import (folder + "/flake.nix")).outputs { inherit self; broker = { lib.${system} = lib; }; };
  results = builtins.attrValues outputs.packages.${system} ++ builtins.attrValues outputs.checks.${system};
in
derive {
  name = "template-${name}";
  inherit results;
  # Evaluated, not built: the checks build its parts.
  shell = builtins.unsafeDiscardStringContext outputs.devShells.${system}.default.drvPath;
  script = ''
    for result in $results; do
      echo $result
      [ ! -f $result ] || cat $result
    done | tee $out
  '';
}

# One derivation that depends on all of `parts`. Each part is an attribute of it, and `parts` is the set of them.
#
# It is not a package of the flake: `nix flake check` evaluates packages, and evaluating this fetches third-party programs.
{ derive, parts }:
parts // derive {
  name = "heavy";
  results = builtins.attrValues parts;
  script = "echo $results >$out";
} // { inherit parts; }

# One derivation that is there when all of the parts are, each of which is an attribute of it; `parts` are they alone.
#
# It is no package of the flake: `nix flake check` evaluates those, and to evaluate this fetches programs of others.
{ derive, parts }:
parts // derive {
  name = "heavy";
  results = builtins.attrValues parts;
  script = "echo $results >$out";
} // { inherit parts; }

# One derivation that is there when all of the parts are.
{ derive, parts }:
derive {
  name = "heavy";
  results = builtins.attrValues parts;
  script = "echo $results >$out";
}

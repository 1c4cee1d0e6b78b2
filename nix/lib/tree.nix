# Turns `src`, which is a path, a flake (`self`), a store path or a derivation, into a path. A derivation is built during
# evaluation. Files below a path are copied one by one, so a derivation that needs only the manifests does not change with
# the code.
src:
let
  text = toString src;
  there = builtins.pathExists "${text}/.";
in
if !there then throw "src: there is no folder ${text}"
else /. + builtins.unsafeDiscardStringContext text

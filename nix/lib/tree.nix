# `src` as a path: a path, a flake (`self`), a store path, or a derivation, which is then built at evaluation. Files below
# a path are copied one by one, so that a derivation which needs the manifests alone does not change with the code.
src:
let
  text = toString src;
  there = builtins.pathExists "${text}/.";
in
if !there then throw "src: there is no folder ${text}"
else /. + builtins.unsafeDiscardStringContext text

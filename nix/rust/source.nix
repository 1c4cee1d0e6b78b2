# The named files and folders of a tree, and nothing else: a change outside them rebuilds nothing.
{ root, paths }:
let
  wanted = map (path: "${toString root}/${path}") paths;
  under = folder: path: builtins.substring 0 (builtins.stringLength folder + 1) path == "${folder}/";
in
builtins.path {
  name = "source";
  path = root;
  filter = path: _: builtins.any (want: path == want || under want path || under path want) wanted;
}

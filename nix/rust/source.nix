# The named files and folders of a tree, and nothing else: a change outside them rebuilds nothing. Without names, all that
# is no product of a build.
{ root, paths ? null }:
let
  under = folder: path: builtins.substring 0 (builtins.stringLength folder + 1) path == "${folder}/";
  wanted = map (path: "${toString root}/${path}") paths;
  products = map (path: "${toString root}/${path}") [ ".git" "target" "result" ];
in
builtins.path {
  name = "source";
  path = root;
  filter = path: _:
    if paths == null then !builtins.elem path products
    else builtins.any (want: path == want || under want path || under path want) wanted;
}

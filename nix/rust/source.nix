# The files and folders of a tree in `paths`: a change elsewhere rebuilds nothing. Without `paths`, everything except the products
# of builds.
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

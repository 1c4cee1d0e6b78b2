# Functions of paths in a source tree, as text: folders below its root without a leading or trailing slash; the root is ".".
let
  inherit (builtins) concatStringsSep filter foldl' isString length match split;

  parts = path: filter (part: isString part && part != "" && part != ".") (split "/" path);
  join = list: if list == [ ] then "." else concatStringsSep "/" list;
  # The parent folder; null above the root.
  up = list: if list == [ ] then null else builtins.genList (builtins.elemAt list) (length list - 1);
in
rec {
  inherit parts join;

  # `path` relative to `folder`; null if it is outside the tree.
  resolve = folder: path:
    let
      step = reached: part:
        if reached == null then null
        else if part == ".." then up reached
        else reached ++ [ part ];
      end = foldl' step (parts folder) (parts path);
    in
    if match "/.*" path != null || end == null then null else join end;

  # Whether a folder's name matches a Cargo pattern with `*` and `?`.
  fits = pattern:
    let
      quoted = builtins.replaceStrings
        [ "." "+" "(" ")" "[" "]" "{" "}" "^" "$" "|" "*" "?" ]
        [ "\\." "\\+" "\\(" "\\)" "\\[" "\\]" "\\{" "\\}" "\\^" "\\$" "\\|" "[^/]*" "[^/]" ]
        pattern;
    in
    name: match quoted name != null;

  # The folders below `root` that match a pattern such as `crates/*`.
  glob = root: pattern:
    let
      folders = folder:
        let entries = builtins.readDir (root + "/${folder}");
        in filter (name: entries.${name} == "directory") (builtins.attrNames entries);
      below = reached: part:
        builtins.concatMap
          (folder:
            if match ".*[*?].*" part == null
            then (if builtins.pathExists (root + "/${folder}/${part}") then [ (resolve folder part) ] else [ ])
            else map (resolve folder) (filter (fits part) (folders folder)))
          reached;
    in
    foldl' below [ "." ] (parts pattern);
}

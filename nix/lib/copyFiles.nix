# Shell commands that copy `files`, a set by path, below a folder.
files: folder:
let
  inherit (import ../rust/strings.nix) quote;
  copy = path: ''
    mkdir -p "$(dirname ${folder}/${quote path})"
    cp -r ${files.${path}} ${folder}/${quote path}
  '';
in
builtins.concatStringsSep "" (map copy (builtins.attrNames files))

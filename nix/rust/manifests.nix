# A workspace's manifests and lock with empty targets beside them: all that cargo needs to build the dependencies, and
# unchanged by an edit of the code.
{ derive }:
{ root }:
let
  inherit (builtins) concatMap concatStringsSep filter match pathExists readDir readFile;

  manifest = folder: builtins.fromTOML (readFile (root + "/${folder}/Cargo.toml"));

  # A member is a folder or, as `crates/*`, every package in one.
  expand = member:
    let
      parent = match "(.*)/[*]" member;
      folder = builtins.head parent;
    in
    if parent == null then [ member ]
    else map (name: "${folder}/${name}") (builtins.attrNames (readDir (root + "/${folder}")));
  members = filter (folder: pathExists (root + "/${folder}/Cargo.toml"))
    ([ "." ] ++ concatMap expand ((manifest ".").workspace.members or [ ]));

  targets = folder:
    let
      package = manifest folder;
      named = kind: default: map (target: target.path or "${default}/${target.name}.rs") (package.${kind} or [ ]);
    in
    map (target: "${folder}/${target}") (
      filter (target: pathExists (root + "/${folder}/${target}")) [ "src/lib.rs" "src/main.rs" "build.rs" ]
      ++ (if package ? lib.path then [ package.lib.path ] else [ ])
      ++ named "bin" "src/bin"
      ++ named "bench" "benches"
      ++ named "test" "tests"
      ++ named "example" "examples"
    );
in
derive {
  name = "manifests";
  lock = root + "/Cargo.lock";
  manifests = concatStringsSep "\n" (map (folder: "${folder} ${root + "/${folder}/Cargo.toml"}") members);
  targets = concatStringsSep "\n" (concatMap targets members);
  script = ''
    mkdir $out
    cp $lock $out/Cargo.lock
    while read -r folder file; do
      mkdir -p $out/$folder
      cp $file $out/$folder/Cargo.toml
    done <<<"$manifests"
    while read -r target; do
      mkdir -p $out/''${target%/*}
      # A library may be empty, a program may not; each is good as the other here.
      echo '#![allow(warnings)] fn main() {}' >$out/$target
    done <<<"$targets"
  '';
}

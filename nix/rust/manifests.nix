# A workspace's manifests and lock, with empty source files for its targets. Cargo needs no more to build the dependencies, and
# an edit of the code does not change it.
{ derive }:
{ workspace }:
let
  inherit (workspace) root folders lock;
  inherit (builtins) attrNames concatMap concatStringsSep filter pathExists readDir;
  exists = path: pathExists (root + "/${path}");

  # The source files of a package's targets. Files that cargo finds by their path are only added if they exist.
  targets = { key, manifest }:
    let
      at = path: "${key}/${path}";
      first = candidates: builtins.head (filter (path: exists (at path)) candidates ++ [ (builtins.head candidates) ]);
      target = default: entry:
        entry.path or (first ([ "${default}/${entry.name}.rs" "${default}/${entry.name}/main.rs" ]
          ++ (if default == "src/bin" then [ "src/main.rs" ] else [ ])));
      named = kind: default: map (target default) (manifest.${kind} or [ ]);
      found = folder:
        let entries = readDir (root + "/${at folder}");
        in
        if !exists (at folder) then [ ]
        else
          filter (path: exists (at path)) (map
            (name: if entries.${name} == "directory" then "${folder}/${name}/main.rs" else "${folder}/${name}")
            (filter (name: entries.${name} == "directory" || builtins.match ".*\\.rs" name != null) (attrNames entries)));
      build = manifest.package.build or "build.rs";
    in
    map at (
      filter (path: exists (at path)) ([ "src/lib.rs" "src/main.rs" ] ++ (if builtins.isString build then [ build ] else [ ]))
      ++ (if manifest ? lib.path then [ manifest.lib.path ] else [ ])
      ++ found "src/bin"
      ++ named "bin" "src/bin"
      ++ named "bench" "benches"
      ++ named "test" "tests"
      ++ named "example" "examples"
    );

  configuration = filter exists [ ".cargo/config.toml" ".cargo/config" ];
in
derive {
  name = "manifests";
  inherit lock;
  manifests = concatStringsSep "\n" (
    map ({ key, ... }: "${key}/Cargo.toml ${root + "/${key}/Cargo.toml"}") folders
    ++ map (path: "${path} ${root + "/${path}"}") configuration
  );
  targets = concatStringsSep "\n" (concatMap targets (filter ({ manifest, ... }: manifest ? package) folders));
  script = ''
    mkdir $out
    cp $lock $out/Cargo.lock
    while read -r path file; do
      mkdir -p $out/''${path%/*}
      cp $file $out/$path
    done <<<"$manifests"
    while read -r target; do
      [ -n "$target" ] || continue
      mkdir -p $out/''${target%/*}
      # Programs need a main function; for libraries it does no harm.
      echo '#![allow(warnings)] fn main() {}' >$out/$target
    done <<<"$targets"
  '';
}

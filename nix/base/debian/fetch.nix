# The locked Debian packages as fetched files: set name -> list of .deb files, package -> .deb file, source package -> upstream archive.
#
# The store path of a file depends on its name and hash alone, so a file that came from any mirror (see `nixw`) fills
# the same path, and the fetch from the snapshot archive never runs.
lock:
let
  archive = "https://snapshot.debian.org/archive/debian/${lock.snapshot}";

  file = package:
    let
      name = baseNameOf package.path;
      # Store path names know neither `~` nor `%`.
      storeName = builtins.replaceStrings [ "~" "%3a" ":" ] [ "-" "-" "-" ] name;
    in
    {
      inherit (package) path size sha256;
      name = storeName;
      fetched = derivation {
        name = storeName;
        system = "builtin";
        builder = "builtin:fetchurl";
        url = "${archive}/${package.path}";
        urls = [ "${archive}/${package.path}" ];
        outputHashMode = "flat";
        outputHashAlgo = "sha256";
        outputHash = package.sha256;
        executable = false;
        unpack = false;
        preferLocalBuild = true;
      };
    };

  packages = builtins.mapAttrs (_: file) lock.packages;
  sources = builtins.mapAttrs (_: file) (lock.sources or { });
in
{
  inherit archive lock;
  packages = builtins.mapAttrs (_: package: package.fetched) packages;
  files = builtins.attrValues packages ++ builtins.attrValues sources;
  filesOf = set: map (name: packages.${name}) lock.sets.${set};
  sets = builtins.mapAttrs (_: map (name: packages.${name}.fetched)) lock.sets;
  sources = builtins.mapAttrs (_: source: source.fetched) sources;
}

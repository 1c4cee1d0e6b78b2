# The locked Debian packages as fetched files: set name -> list of .deb files, package -> .deb file, source package -> upstream
# archive.
#
# The store path of a file depends only on its name and hash. If nixw has added the file from any mirror, the path exists, and
# the fetch from the snapshot archive does not run.
lock:
let
  archive = "https://snapshot.debian.org/archive/debian/${lock.snapshot}";

  file = package:
    let
      name = baseNameOf package.path;
      # The names of store paths cannot contain `~` or `%`.
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
  inherit lock;
  packages = builtins.mapAttrs (_: package: package.fetched) packages;
  files = builtins.attrValues packages ++ builtins.attrValues sources;
  filesOf = set: map (name: packages.${name}) lock.sets.${set};
  sets = builtins.mapAttrs (_: map (name: packages.${name}.fetched)) lock.sets;
  sources = builtins.mapAttrs (_: source: source.fetched) sources;
}

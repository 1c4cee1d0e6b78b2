# The files of a release: one archive per target, with the programs, the licence texts of everything in them and the bill of
# materials; each bill of materials as a separate file; and the checksums of all files. The programs have the list of their
# crates embedded.
#
# targets       the target triples
# files         further files, by their path in the archive: `{ "README.md" = ./README.md; }`
# licences      see licences.nix
{ derive, pack, build, sbomOf, licencesOf }:
{ files ? { }, licences ? { } }:
projects:
let
  inherit (builtins) concatStringsSep head;
  # The interpreter of a glibc program is a store path.
  static = project:
    if project.static then project
    else throw "release: a program for ${project.target} only runs from the Nix store; set `targets` to static ones (…-linux-musl)";
  inherit ((head projects).package) name version;
  # A line for each target: the archive's name, then its contents.
  part = project: concatStringsSep " " [
    "${name}-${version}-${(static project).target}"
    "${build project}"
    "${licencesOf { inherit licences; } project}"
    "${sbomOf project}"
  ];
in
derive {
  name = "${name}-${version}-release";
  parts = concatStringsSep "\n" (map part projects);
  copyFiles = import ./copyFiles.nix files "$name";
  nativeInputs = [ pack ];
  script = ''
    mkdir $out
    while read -r name programs licences bom; do
      mkdir $name
      cp $programs/bin/* $name/
      cp -r $licences $name/licences
      chmod -R u+w $name
      cp $bom $name/$name.cdx.json
      cp $bom $out/$name.cdx.json
      eval "$copyFiles"
      pack archive --folder $name --output $out/$name.tar.gz
    done <<<"$parts"
    cd $out
    sha256sum * >SHA256SUMS
  '';
}

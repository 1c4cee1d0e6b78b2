# What is put up for download: an archive a target, with the programs, the licence texts of all that is in them and the
# bill of materials; the bills by themselves; and the checksums of all. The programs have the list of their crates
# embedded.
#
# targets       the target triples
# files         more for the archive, by the path in it: `{ "README.md" = ./README.md; }`
# licences      see licences.nix
{ derive, pack, build, sbomOf, licencesOf }:
{ files ? { }, licences ? { } }:
projects:
let
  inherit (builtins) attrNames concatStringsSep head;
  # A program for glibc starts with the store's dynamic linker.
  static = project:
    if project.static then project
    else throw "release: a program for ${project.target} runs from the Nix store alone; let `targets` be static ones (…-linux-musl)";
  inherit ((head projects).package) name version;
  # A line a target: what it is called, and what is in it.
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
  more = concatStringsSep "\n" (map (path: "${path}	${files.${path}}") (attrNames files));
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
      while IFS=$'\t' read -r path file; do
        [ -n "$path" ] || continue
        mkdir -p "$(dirname "$name/$path")"
        cp -r "$file" "$name/$path"
      done <<<"$more"
      pack archive --folder $name --output $out/$name.tar.gz
    done <<<"$parts"
    cd $out
    sha256sum * >SHA256SUMS
  '';
}

# The licence texts of everything in a project's programs, one folder per component, and a list of them. `licences` gives
# the files for crates without a text: `{ name = ./FILE; }`.
{ derive, seed, pack, sbomOf, muslDev, rustc, stdOf, libcCrates, fastMusl, libcxxOf }:
{ licences ? { } }:
project:
let
  inherit (builtins) any attrNames concatStringsSep elem filter fromTOML head match readFile stringLength substring;
  inherit (import ../rust/strings.nix) upper;
  inherit (project.workspace) root packages;
  under = folder: path: substring 0 (stringLength folder + 1) "${path}/" == "${folder}/";
  places = map ({ folder, ... }: if folder == "." then toString root else "${toString root}/${folder}") packages;
  # The files of the project in which pack looks for texts, so other changes rebuild nothing. They are anywhere below its
  # packages, since C code has its text next to it. A manifest marks a folder as another package's.
  own = builtins.path {
    name = "licences";
    path = root;
    filter = path: type:
      let
        name = baseNameOf path;
        text = "(UN)?(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|PATENTS).*|.*[-_]LICEN[CS]E([.].*)?";
      in
      if type == "directory" then
        !elem name [ ".git" "target" "vendor" ] && any (place: under path place || under place path) places
      else name == "Cargo.toml" || match text (upper name) != null;
  };

  # A text may apply to the program of one target only, but each must name a locked package.
  names = map (package: package.name) ((fromTOML (readFile project.workspace.lock)).package or [ ]);
  strange = filter (name: !elem name names) (attrNames licences);
  # A crate's name, the file name of its text, and the text.
  given = map (name: "${name} ${baseNameOf (toString licences.${name})} ${licences.${name}}") (attrNames licences);
in
if strange != [ ] then project.workspace.fail "licences.${head strange}: Cargo.lock has no package with that name"
else
  derive {
    name = "${project.name}-licences";
    inherit seed muslDev rustc fastMusl libcCrates;
    bom = sbomOf project;
    std = stdOf project.target;
    vendor = project.crates;
    inherit own;
    package = project.package.folder;
    libcxx = if project.static && project.cxx then libcxxOf project.target else "";
    given = concatStringsSep "\n" given;
    nativeInputs = [ pack ];
    script = ''
      has() { grep -q "\"name\": \"$1\"" $bom; }
      mkdir -p texts/rust-std texts/musl texts/fast-musl texts/libcxx
      # Cargo vendors no source of Rust's standard library or of the musl in Rust's release. Each copy of musl has this text.
      cp $std/COPYRIGHT $std/LICENSE-* $rustc/rustc/share/doc/rust/COPYRIGHT-library.html texts/rust-std/
      cp $fastMusl texts/fast-musl/LICENSE
      $seed root $muslDev
      cp root/usr/share/doc/musl-dev/copyright texts/musl/
      [ -z "$libcxx" ] || cp $libcxx/LICENSE.TXT texts/libcxx/
      words=()
      for name in rust-std musl fast-musl libcxx; do
        ! grep -q "\"bom-ref\": \"\(rust-release\|libc\|debian\)#$name\"" $bom || words+=(--text "$name=texts/$name")
      done
      while read -r name file text; do
        [ -n "$name" ] && has "$name" || continue
        mkdir -p "texts/$name"
        cp "$text" "texts/$name/$file"
        words+=(--text "$name=texts/$name")
      done <<<"$given"
      mkdir $out
      pack licences --bom $bom --source $own --package $own/$package --vendor $libcCrates ''${vendor:+--vendor $vendor} "''${words[@]}" --output $out
    '';
  }

# The licence texts of all that is in a project's programs, in a folder a component, and a list of them. `licences` names
# files for crates that have no text: `{ name = ./FILE; }`.
{ derive, seed, pack, sbomOf, muslDev, rustc, stdOf, libcCrates, fastMusl }:
{ licences ? { } }:
project:
let
  inherit (builtins) any attrNames concatStringsSep match stringLength substring;
  inherit (import ../rust/strings.nix) upper;
  inherit (project.workspace) root packages;
  # The files of the project that pack may take for its texts, so that no other change makes them anew.
  own = builtins.path {
    name = "licences";
    path = root;
    filter = path: type:
      let
        below = text: substring 0 (stringLength path + 1) "${text}/" == "${path}/";
      in
      if type == "directory" then any ({ folder, ... }: below "${toString root}/${folder}") packages
      else match "(UN)?(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|PATENTS).*" (upper (baseNameOf path)) != null;
  };
  # A name, what its text is called, and the text.
  given = map (name: "${name} ${baseNameOf (toString licences.${name})} ${licences.${name}}") (attrNames licences);
in
derive {
  name = "${project.name}-licences";
  inherit seed muslDev rustc fastMusl libcCrates;
  bom = sbomOf project;
  std = stdOf project.target;
  vendor = project.crates;
  inherit own;
  given = concatStringsSep "\n" given;
  tools = [ pack ];
  script = ''
    mkdir -p texts/rust-std texts/musl texts/fast-musl
    # Cargo has no source of these: Rust's standard library, and the musl in its release, whose text is that of any copy.
    cp $std/COPYRIGHT $std/LICENSE-* $rustc/rustc/share/doc/rust/COPYRIGHT-library.html texts/rust-std/
    cp $fastMusl texts/fast-musl/LICENSE
    $seed root $muslDev
    cp root/usr/share/doc/musl-dev/copyright texts/musl/
    words=()
    for name in rust-std musl fast-musl; do
      ! grep -q "\"bom-ref\": \"\(rust-release\|libc\)#$name\"" $bom || words+=(--text "$name=texts/$name")
    done
    while read -r name file text; do
      [ -n "$name" ] || continue
      mkdir -p "texts/$name"
      cp "$text" "texts/$name/$file"
      words+=(--text "$name=texts/$name")
    done <<<"$given"
    mkdir $out
    pack licences --bom $bom --source $own --vendor $libcCrates ''${vendor:+--vendor $vendor} "''${words[@]}" --output $out
  '';
}

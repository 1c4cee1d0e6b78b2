# The licence texts of all that is in a project's programs, in a folder a component, and a list of them. `licences` names
# files for crates that have no text: `{ name = ./FILE; }`.
{ derive, seed, pack, sbomOf, muslDev, rustc, stdOf, libcCrates, fastMusl }:
{ licences ? { } }:
project:
let
  inherit (builtins) attrNames concatStringsSep;
  # A name, what its text is called, and the text.
  given = map (name: "${name} ${baseNameOf (toString licences.${name})} ${licences.${name}}") (attrNames licences);
in
derive {
  name = "${project.name}-licences";
  inherit seed muslDev rustc fastMusl libcCrates;
  bom = sbomOf project;
  std = stdOf project.target;
  vendor = project.crates;
  src = project.everything;
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
    pack licences --bom $bom --source $src --vendor $libcCrates ''${vendor:+--vendor $vendor} "''${words[@]}" --output $out
  '';
}

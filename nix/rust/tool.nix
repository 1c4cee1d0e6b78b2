# A program from a crate, at a version, with the dependencies that its own Cargo.lock names; `hash` covers all of these.
{ fetch, scripts, cargo }:
{ name, version, hash, flags ? "" }:
let
  fetched = fetch {
    name = "${name}-${version}-crates";
    crate = name;
    inherit version hash;
    # Cargo fetches a crate as somebody's dependency: of an empty package, whose lock does not matter.
    script = ''
      cargo init --quiet --name fetch fetch
      cd fetch
      cargo add --quiet $crate@=$version
      cargo vendor --quiet --versioned-dirs ../fetched >/dev/null
      cp -r ../fetched/$crate-$version ../source
      cd ../source
      mkdir $out
      vendor $out/crates
      cp -r . $out/source
    '';
  };
in
cargo {
  inherit name flags;
  manifests = "${fetched}/source";
  crates = scripts "${fetched}/crates";
  command = "cargo install --path . --locked --root $out --no-track $flags";
}

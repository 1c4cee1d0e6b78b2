# A crate at a version, as `source`, and the dependencies that its own Cargo.lock names, as `crates`; `hash` covers both.
{ fetch }:
{ name, version, hash }:
fetch {
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
    cargo vendor --locked $out/crates >/dev/null
    cp -r . $out/source
  '';
}

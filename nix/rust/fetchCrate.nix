# A published crate at a version, with the dependencies that its own Cargo.lock names: arguments for buildStatic and the
# others, to which more can be added with `//`. `hash` covers all of it. Without a hash, Nix reports the right one.
{ fetch }:
{ name, version, hash ? "" }:
let
  fetched = fetch {
    name = "${name}-${version}-crates";
    crate = name;
    inherit version hash;
    # Cargo fetches a crate as a dependency: here of an empty package, whose lock does not matter.
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
  };
in
{
  src = "${fetched}/source";
  vendor = "${fetched}/crates";
}

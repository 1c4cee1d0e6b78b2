# The crates of a Cargo.lock in a folder, as `cargo vendor` writes it: cargo knows where they are and checks each against
# the lock.
#
# `hash` covers all of them. The name contains the hash of the lock, so after a change of the lock Nix fetches again and reports
# the right hash.
{ fetch }:
{ manifests, lock, hash }:
fetch {
  name = "crates-${builtins.substring 0 12 (builtins.hashFile "sha256" lock)}";
  inherit manifests hash;
  script = ''
    cp -r $manifests source
    chmod -R u+w source
    cd source
    # cargo.sh writes the configuration that this command proposes.
    cargo vendor --locked $out >/dev/null
  '';
}

# `nix run .#update` renews the files of this flake, as they are, or leaves them as they were: with a release server of
# its own, and stand-ins for nix, cargo and git.
{ derive, source }:
derive {
  name = "update";
  inherit source;
  script = ./update.sh;
}

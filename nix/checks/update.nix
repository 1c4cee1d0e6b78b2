# Tests `nix run .#update` on the files of this flake: it renews them, or leaves them unchanged. The test has its own release
# server, and stand-ins for nix, cargo and git.
{ derive, source }:
derive {
  name = "update";
  inherit source;
  script = ./update.sh;
}

# The locks of Debian's packages contain what wanted.json lists for each architecture, and both are from one date. A package
# that wanted.json lists for one architecture is selected for no other.
{ derive, folder }:
let
  inherit (builtins) attrNames attrValues all elem fromJSON mapAttrs readFile;
  json = file: fromJSON (readFile file);
  on = architecture: wanted: import (folder + "/wanted.nix") { inherit architecture wanted; };
  locks = mapAttrs (_: { lock, ... }: json lock) (import (folder + "/../architectures.nix"));

  # Only the listed packages are compared: debian-lock adds their dependencies.
  fits = lock:
    let
      asked = on lock.architecture (json (folder + "/wanted.json"));
      same =
        asked.suite == lock.suite
        && attrNames asked.sets == attrNames lock.sets
        && attrNames (asked.sources or { }) == attrNames (lock.sources or { })
        && all (set: all (name: elem name lock.sets.${set}) asked.sets.${set}.packages) (attrNames lock.sets);
    in
    same || throw "the lock of Debian packages for ${lock.architecture} does not match nix/base/debian/wanted.json; renew it: nix run .#update -- debian";

  example = {
    suite = "s";
    sets = {
      both = { packages = [ "a" "b [amd64]" "c [arm64]" ]; without = [ "d [arm64]" "e" ]; why = "w"; };
      one = { packages = [ "f [amd64]" ]; why = "w"; };
      mistaken = { packages = [ ]; why = "w"; };
    };
  };
  mistaken = { packages = [ ]; without = [ ]; why = "w"; };
in
assert all fits (attrValues locks);
assert locks.x86_64-linux.architecture == "amd64" && locks.aarch64-linux.architecture == "arm64";
assert locks.x86_64-linux.snapshot == locks.aarch64-linux.snapshot || throw "the two locks of Debian packages have different dates; renew them: nix run .#update -- debian";
assert on "amd64" example == {
  architecture = "amd64";
  suite = "s";
  sets = {
    both = { packages = [ "a" "b" ]; without = [ "e" ]; why = "w"; };
    one = { packages = [ "f" ]; without = [ ]; why = "w"; };
    inherit mistaken;
  };
};
assert on "arm64" example == {
  architecture = "arm64";
  suite = "s";
  sets = {
    both = { packages = [ "a" "c" ]; without = [ "d" "e" ]; why = "w"; };
    inherit mistaken;
  };
};
derive { name = "debian"; script = "echo they fit >$out"; }

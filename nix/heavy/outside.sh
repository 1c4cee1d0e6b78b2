# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
# Sourced in the workspace: puts the project $stranger, which is no member of it, next to it, and changes to that project.
cp -r "$stranger" ../stranger
chmod -R u+w ../stranger
cp Cargo.lock ../stranger/
cd ../stranger
export CARGO_TARGET_DIR=$PWD/target
sed -i 's|\.\./\.\./\.\./crates/|../source/crates/|' Cargo.toml

fail() {
  echo "$way: $*" >&2
  exit 1
}

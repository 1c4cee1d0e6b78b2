# shellcheck shell=bash disable=SC2154
# The host's certificates where the sandbox shows them (a private certificate authority may stand in them), else Debian's.
export CARGO_HOME=$NIX_BUILD_TOP/cargo
export CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
if [ ! -r "$CARGO_HTTP_CAINFO" ]; then
  CARGO_HTTP_CAINFO=$NIX_BUILD_TOP/certificates.crt
  cat "$certificates"/usr/share/ca-certificates/mozilla/*.crt >"$CARGO_HTTP_CAINFO"
fi

# Puts the crates of the lock into the folder $1. Of the configuration that `cargo vendor` proposes, cargo.sh has all but
# what stands for git repositories.
vendor() {
  local sources=$NIX_BUILD_TOP/git-sources.toml
  cargo vendor --locked "$1" | awk '/^\[/ { wanted = /^\[source\."git\+/ } wanted' >"$sources"
  [ ! -s "$sources" ] || mv "$sources" "$1/.git-sources.toml"
}

eval "$fetch"

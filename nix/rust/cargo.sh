# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
export CARGO_HOME=$NIX_BUILD_TOP/cargo CARGO_INCREMENTAL=0 CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
mkdir "$CARGO_HOME"
cat >"$CARGO_HOME/config.toml" <<TOML
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$crates"
TOML

# The copies get the present time, later than any artifact's: cargo builds the workspace's own crates anew.
cp -r "$manifests" source
chmod -R u+w source
if [ -n "$source" ]; then
  cp -r "$source/." source/
  chmod -R u+w source
fi
cd source
if [ -n "$artifacts" ]; then
  # The time they have in the store: to cargo, older than any source.
  cp -r "$artifacts" target
  chmod -R u+w target
  find target -exec touch -d @1 {} +
fi

eval "$command"

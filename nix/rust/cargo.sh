# shellcheck shell=bash disable=SC2154,SC2164 # variables of the derivation; run with -e
export CARGO_HOME=$NIX_BUILD_TOP/cargo CARGO_INCREMENTAL=0 CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
mkdir "$CARGO_HOME"
if [ -n "$crates" ]; then
  cat >"$CARGO_HOME/config.toml" <<TOML
[source.crates-io]
replace-with = "vendored-sources"
[source.vendored-sources]
directory = "$crates"
TOML
  # What stands for the git repositories of a lock (scripts.nix).
  [ ! -e "$crates/.git-sources.toml" ] || cat "$crates/.git-sources.toml" >>"$CARGO_HOME/config.toml"
fi

# Panic messages name source files, C code its own by __FILE__, and debug information both: the paths of this build are no
# part of them. rustc's flags come with every call of it (sysroot.sh), so that those of a project stay its own.
paths=("$NIX_BUILD_TOP=/build" "$NIX_BUILD_TOP/source=/source" "$cc=/cc" "$muslRoot=/musl")
[ -z "$crates" ] || paths+=("$crates=/crates")
BUILD_RUSTCFLAGS=$(printf -- '--remap-path-prefix=%s ' "${paths[@]}")
# Where libc++ is, for projects with C++ (cxx.nix).
[ -z "${libcxx-}" ] || BUILD_RUSTCFLAGS+="-Lnative=$libcxx/lib"
CFLAGS="$(printf -- '-ffile-prefix-map=%s ' "${paths[@]}")${CFLAGS-}"
CXXFLAGS="$(printf -- '-ffile-prefix-map=%s ' "${paths[@]}")${CXXFLAGS-}"
export BUILD_RUSTCFLAGS CFLAGS CXXFLAGS

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
# A project may put it elsewhere.
export CARGO_TARGET_DIR=$PWD/target

source "$hints"
eval "$command"

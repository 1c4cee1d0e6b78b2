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
  # The replacements of the git repositories in the lock (crates.nix).
  [ ! -e "$crates/.git-sources.toml" ] || cat "$crates/.git-sources.toml" >>"$CARGO_HOME/config.toml"
fi

# Panic messages, __FILE__ in C code and debug information contain paths of source files; these flags remove the paths of this
# build. The wrapper of rustc adds its flags to every call (sysroot.sh), so a project's own flags stay in use.
paths=("$NIX_BUILD_TOP=/build" "$NIX_BUILD_TOP/source=/source" "$cc=/cc" "$muslRoot=/musl")
[ -z "$crates" ] || paths+=("$crates=/crates")
BUILD_RUSTCFLAGS=$(printf -- '--remap-path-prefix=%s ' "${paths[@]}")
# Where libc++ is, for projects with C++ (cxx.nix).
[ -z "${libcxx-}" ] || BUILD_RUSTCFLAGS+="-Lnative=$libcxx/lib"
CFLAGS="$(printf -- '-ffile-prefix-map=%s ' "${paths[@]}")${CFLAGS-}"
CXXFLAGS="$(printf -- '-ffile-prefix-map=%s ' "${paths[@]}")${CXXFLAGS-}"
export BUILD_RUSTCFLAGS CFLAGS CXXFLAGS

# The copies get the current time, which is later than that of any artifact, so cargo rebuilds the workspace's own crates.
cp -r "$manifests" source
chmod -R u+w source
if [ -n "$source" ]; then
  cp -r "$source/." source/
  chmod -R u+w source
fi
cd source
if [ -n "$artifacts" ]; then
  # The time that files have in the store, which is older than any source.
  cp -r "$artifacts" target
  chmod -R u+w target
  find target -exec touch -d @1 {} +
fi
# A project's configuration may name another folder.
export CARGO_TARGET_DIR=$PWD/target

source "$hints"
eval "$command"

#!/usr/bin/env bash
# Renews the locks of this flake: Rust's release, the crates, the Debian packages.
#
# New files are made in a scratch folder, and moved into the work tree when all of them are complete. The tools come from PATH
# (bash, busybox or coreutils; nix and git are the caller's). Downloads go through Nix and cargo.

set -euo pipefail

# The server of Rust's releases in flake.nix.
release_server=https://static.rust-lang.org
# The files with hashes of what cargo fetches: the crates of the workspace, of the C library, of nix/release/pack, of the checks
# and of the template, the third-party programs, and the tools.
crates_file=nix/workspace/default.nix
tools_file=nix/tools.nix
hash_files=("$crates_file" nix/rust/libc.nix nix/release/pack.nix nix/heavy/dependencies.nix nix/programs/programs.nix
  templates/default/flake.nix "$tools_file")
# A line with such a hash. The groups are the text before it, the hash, and the text after it.
hash_line='^( *(hash|cargoHash) = ")(sha256-[^"]*)?(";.*)$'

usage() {
  cat <<'END'
usage: nix run .#update -- rust [VERSION] [--server URL]
       nix run .#update -- crates [ARGUMENTS]
       nix run .#update -- hashes
       nix run .#update -- debian [--date DATE] [--mirror URL]
       nix run .#update -- all

Renews a lock in the current git work tree and prints what changed.

  rust    the toolchain: the newest stable release, or VERSION, such as 1.99.1.
          Writes flake.nix, flake.lock, rust-toolchain.toml and the rust-version
          of the workspace in Cargo.toml; then the hashes, as below.
          --server URL  read the release's list of files from this server
                        instead of https://static.rust-lang.org. Nix fetches the
                        files themselves from the latter, as flake.nix says.
  crates  Cargo.lock, with the flake's "cargo update ARGUMENTS", and the hash of
          the crates in nix/workspace/default.nix.
  hashes  the hashes of everything that cargo fetches: that hash and those in
          nix/tools.nix, nix/rust/libc.nix, nix/release/pack.nix,
          nix/heavy/dependencies.nix, nix/programs/programs.nix and
          templates/default/flake.nix. Everything is fetched again. Run this
          after a change of a Cargo.lock, nix/tools.nix,
          nix/programs/programs.nix or cargo itself: another release of cargo
          may lay out the same crates in another way.
  debian  nix/base/debian/debian.json and arm64/debian.json; see
          "debian --help".
  all     rust, crates and debian in turn, each without arguments.

A failure or an interrupt leaves the files of a lock unchanged. Your other
changes in these files are kept.

This does not renew:
- the older releases of Rust in flake.nix, which the published crates support
  and the seeds were built with
- the versions in nix/tools.nix and nix/programs/programs.nix
- the clients that CI tests with (clients/python/requirements.txt,
  clients/javascript/package-lock.json, clients/browser/package-lock.json) and
  its CycloneDX validator (nix/release/requirements.txt)
- the Cargo.lock files of nix/rust/libc, nix/release/pack,
  nix/heavy/dependencies and the templates (run cargo update there, then hashes)
fuzz/ has no lock, and nix/heavy/ways is built with Cargo.lock.
END
}

# shellcheck disable=SC2034 # for the sourced script
self=update
# shellcheck source=/dev/null
source "$UPDATING"

# Copies the files $@ of the work tree twice: the copies in $was stay unchanged, those in $new are renewed.
take() {
  local file copy
  for file; do
    for copy in "$was" "$new"; do
      mkdir -p "$(dirname "$copy/$file")"
      cp "$root/$file" "$copy/$file"
    done
  done
}

# Replaces the files $@ of the work tree with those in $new: all of them or none. Sets changed to the files that differ.
put() {
  local file
  changed=()
  for file; do
    cmp -s "$was/$file" "$new/$file" || changed+=("$file")
  done
  # In the same folder, so a move replaces a file atomically.
  for file in "${changed[@]}"; do
    staged+=("$root/$file.$$")
    cp "$new/$file" "$root/$file.$$"
  done
  for file; do
    cmp -s "$was/$file" "$root/$file" ||
      fail "$file was edited during its renewal; nothing was written, run this again"
  done

  # Signals are ignored from the first move to the last.
  trap '' HUP INT TERM
  for file in "${changed[@]}"; do
    mv "$root/$file.$$" "$root/$file" || {
      put_back
      fail "cannot write $file; no file was changed"
    }
  done
  trap - HUP INT TERM
  staged=()
}

put_back() {
  local file
  for file in "${changed[@]}"; do
    cmp -s "$was/$file" "$root/$file" || cp "$was/$file" "$root/$file"
  done
}

# Prints the release that rust-toolchain.toml names.
pinned() {
  local version
  version=$(sed -n 's/^channel = "\(.*\)"$/\1/p' "$new/rust-toolchain.toml")
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
    fail "rust-toolchain.toml names no release; write a line such as: channel = \"1.99.1\""
  printf '%s' "$version"
}

# Whether release $1 is older than release $2.
older() {
  local one two
  # shellcheck disable=SC2086 # three numbers each
  {
    printf -v one '%04d%04d%04d' ${1//./ }
    printf -v two '%04d%04d%04d' ${2//./ }
  }
  [[ $one < $two ]]
}

# Reads the list of files of release $2, or of the newest if that is empty, from server $1. Sets manifest, version and date.
read_release() {
  local name=channel-rust-${2:-stable}.toml help="check the network and the version, or name another server with --server" sum found
  manifest=$(download "$1/dist/$name" "$help")
  sum=$(download "$1/dist/$name.sha256" "$help")
  read -r sum _ <"$sum" || true
  found=$(sha256sum <"$manifest")
  [[ ${found%% *} == "$sum" ]] ||
    fail "$name has the SHA-256 ${found%% *}, but $name.sha256 says \"$sum\"; the server may be in the middle of an update, try again later"

  # The first date is the name of the release's folder.
  date=$(sed -n '/^\[/q; s/^date = "\(.*\)"$/\1/p' "$manifest")
  version=$(sed -n '/^\[pkg\.rust\]$/,/^version = /s/^version = "\([^ "]*\).*/\1/p' "$manifest")
  [[ $date =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ && $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
    fail "$name has no valid date or no valid version of Rust (date \"$date\", version \"$version\"); is $1 a release server of Rust?"
  [[ -z $2 || $version == "$2" || $version == "$2".* ]] || fail "$name lists Rust $version instead of $2"
}

# Prints the addresses in file $2 of the files of Rust's release $1.
addresses() {
  grep -oE "$release_server/dist/[0-9-]+/[a-z0-9_-]+-${1//./\\.}(-[a-z0-9_-]+)?\.tar\.xz" "$2" || true
}

# Replaces release $1 with release $version of $date in all files except flake.lock.
name_release() {
  local address old=${1//./\\.}
  [[ -n $(addresses "$1" "$new/flake.nix") ]] ||
    fail "flake.nix names no file of Rust $1, which rust-toolchain.toml names; make the two equal first"
  [[ $1 == "$version" || -z $(addresses "$version" "$new/flake.nix") ]] ||
    fail "flake.nix already has Rust $version as an older release; choose a newer one"

  sed -E "s|($release_server/dist/)[0-9-]+(/[a-z0-9_-]+-)$old((-[a-z0-9_-]+)?\.tar\.xz)|\1$date\2$version\3|" \
    "$was/flake.nix" >"$new/flake.nix"
  for address in $(addresses "$version" "$new/flake.nix"); do
    grep -qxF "xz_url = \"$address\"" "$manifest" ||
      fail "Rust $version has no ${address##*/}; remove it from flake.nix, or choose another version"
  done

  sed "s/^channel = .*/channel = \"$version\"/" "$was/rust-toolchain.toml" >"$new/rust-toolchain.toml"
  sed "/^\[workspace\.package\]/,/^\[/s/^rust-version = .*/rust-version = \"${version%.*}\"/" \
    "$was/Cargo.toml" >"$new/Cargo.toml"
  grep -qxF "rust-version = \"${version%.*}\"" "$new/Cargo.toml" ||
    fail "Cargo.toml has no rust-version under [workspace.package]"
}

# Makes Nix fetch the release in flake.nix if flake.lock has another one. Checks that the lock then has release $version
# instead of $1.
lock_release() {
  local address
  say "locking Rust $version; Nix fetches the new files"
  nix_command flake lock "path:$new" || fail "nix could not fetch the release; nothing was written"
  for address in $(addresses "$version" "$new/flake.nix"); do
    grep -qF "\"$address\"" "$new/flake.lock" || fail "nix flake lock left out $address; nothing was written"
  done
  [[ $1 == "$version" || -z $(addresses "$1" "$new/flake.lock") ]] ||
    fail "nix flake lock kept files of Rust $1; nothing was written"
}

# Prints the change from release $1, one file per line.
show_release() {
  local address name before
  for address in $(addresses "$1" "$was/flake.nix"); do
    name=${address##*/}
    name=${name%.tar.xz}
    before=${address#"$release_server/dist/"}
    printf '%s: %s of %s -> %s of %s\n' "${name/-"$1"/}" "$1" "${before%%/*}" "$version" "$date"
  done
}

renew_rust() {
  local wanted='' server=$release_server old files=(flake.nix flake.lock Cargo.toml rust-toolchain.toml)
  while [[ $# -gt 0 ]]; do
    case $1 in
      --server)
        server=$(value "$@")
        shift
        ;;
      -h | --help)
        usage
        exit
        ;;
      -*) fail "unknown argument $1; see --help" ;;
      *)
        [[ -z $wanted ]] || fail "rust takes one version, not two: $wanted and $1"
        [[ $1 =~ ^[0-9]+\.[0-9]+(\.[0-9]+)?$ ]] || fail "rust $1: write the version like 1.99.1"
        wanted=$1
        ;;
    esac
    shift
  done
  [[ $server =~ ^(https?|file):// ]] || fail "--server $server: write an address with http://, https:// or file://"

  root=$(find_root)
  take "${files[@]}"
  old=$(pinned)
  read_release "${server%/}" "$wanted"
  [[ -n $wanted ]] || ! older "$version" "$old" ||
    fail "the stable release on $server is $version, older than $old, which is in use; name the version to use it anyway"
  name_release "$old"
  lock_release "$old"
  put "${files[@]}"
  if [[ ${#changed[@]} -eq 0 ]]; then
    say "Rust $version of $date is already in use; nothing changed"
    return
  fi
  show_release "$old"
  say "wrote ${changed[*]}"
  # This comes last: if it fails, the release is in place and can be examined.
  renew_hashes
  say "next: ./nixw flake check;" \
    "docs/flake.md lists what else to check"
}

# Copies the files of the work tree that git tracks, in their current state, to $new. To Nix, these are the flake.
copy_tree() {
  local file
  git -C "$root" ls-files -z >"$scratch/files" || fail "git cannot list the files of $root"
  while IFS= read -r -d '' file; do
    [[ -f $root/$file ]] || continue
    mkdir -p "$(dirname "$new/$file")"
    cp "$root/$file" "$new/$file"
  done <"$scratch/files"
}

# Sets hashes to the hashes in the files $@, in their order.
read_hashes() {
  local file
  hashes=()
  for file; do
    grep -qE "$hash_line" "$was/$file" || fail "$file has no line like: hash = \"sha256-…\";"
    mapfile -t -O "${#hashes[@]}" hashes < <(sed -nE "s,$hash_line,\3,p" "$was/$file")
  done
}

# Replaces the hashes in the files $@ with hashes.
write_hashes() {
  local file line i=0
  for file; do
    while IFS= read -r line; do
      if [[ $line =~ $hash_line ]]; then
        line=${BASH_REMATCH[1]}${hashes[i]}${BASH_REMATCH[4]}
        i=$((i + 1))
      fi
      printf '%s\n' "$line"
    done <"$was/$file" >"$new/$file"
  done
}

# Prints the outputs of the flake that need the fetches whose hashes are in file $1.
made_with() {
  case $1 in
    "$crates_file") echo broker-static ;;
    nix/rust/libc.nix) echo rust.libc.crates ;;
    nix/release/*) echo lib.x86_64-linux.pack ;;
    nix/heavy/*) echo heavy.uses-macros ;;
    nix/programs/*) echo programs.fetched ;;
    templates/*) echo checks.x86_64-linux.template-default ;;
    *)
      # shellcheck disable=SC2016 # the dollar sign is for Nix
      nix_command eval --raw "path:$new#tools" \
        --apply 'tools: toString (map (name: "tools.${name}") (builtins.attrNames tools))' ||
        fail "nix cannot list the tools in $1; no hash was written"
      ;;
  esac
}

# Writes the right hashes to the files $@ of $new: Nix reports them when it is given wrong ones. Sets before to the old hashes.
fetch_hashes() {
  local file outputs output installables=() i answer
  for file; do
    outputs=$(made_with "$file")
    for output in $outputs; do
      installables+=("path:$new#$output")
    done
  done
  read_hashes "$@"
  before=("${hashes[@]}")
  for i in "${!hashes[@]}"; do
    printf -v "hashes[$i]" 'sha256-%03d%040d=' "$i" 0
  done
  write_hashes "$@"

  say "fetching everything that cargo fetches, for the hashes"
  answer=$(nix_command build --keep-going --no-link "${installables[@]}" 2>&1) || true
  for i in "${!hashes[@]}"; do
    [[ $answer =~ specified:\ +"${hashes[i]}"[[:space:]]+got:\ +(sha256-[A-Za-z0-9+/]{43}=) ]] ||
      fail "nix did not report the right hash instead of \"${before[i]}\"; no hash was written. Try again with: nix run .#update -- hashes. Nix printed:"$'\n'"$answer"
    hashes[i]=${BASH_REMATCH[1]}
  done
  write_hashes "$@"
}

# Puts the files $@ in place and prints the changed hashes.
put_hashes() {
  local i
  put "$@"
  if [[ ${#changed[@]} -eq 0 ]]; then
    say "the crates and their hashes are up to date; nothing changed"
    return
  fi
  for i in "${!hashes[@]}"; do
    [[ ${hashes[i]} == "${before[i]}" ]] || printf 'hash: %s -> %s\n' "${before[i]}" "${hashes[i]}"
  done
  say "wrote ${changed[*]}"
}

renew_hashes() {
  root=$(find_root)
  copy_tree
  take "${hash_files[@]}"
  fetch_hashes "${hash_files[@]}"
  put_hashes "${hash_files[@]}"
}

renew_crates() {
  local argument
  for argument; do
    case $argument in
      -h | --help)
        usage
        exit
        ;;
      --manifest-path* | --lockfile-path*)
        fail "crates $argument: this renews only the work tree's Cargo.lock; run cargo itself for another"
        ;;
    esac
  done

  root=$(find_root)
  copy_tree
  take Cargo.lock "$crates_file"
  say "cargo update${*:+ $*}"
  (cd "$new" && nix_command shell "path:$new#rust.toolchains.build" --command cargo update "$@") ||
    fail "cargo update failed; nothing was written"
  fetch_hashes "$crates_file"
  put_hashes Cargo.lock "$crates_file"
  say "next: ./nixw flake check; docs/flake.md lists what else to check"
}

# An app of its own, because it needs more programs than this script. They are built when the app runs.
renew_debian() {
  root=$(find_root)
  nix_command run --print-build-logs "$root#update-debian" -- "$@"
}

renew_all() {
  local part
  for part in rust crates debian; do
    "renew_$part"
  done
}

scratch=$(mktemp -d)
was=$scratch/was
new=$scratch/new
staged=()
trap 'rm -rf "$scratch" "${staged[@]}"' EXIT

part=${1:-}
case $part in
  rust | crates | debian)
    shift
    "renew_$part" "$@"
    ;;
  hashes | all)
    [[ $# -eq 1 ]] || fail "$part takes no arguments; see --help"
    "renew_$part"
    ;;
  -h | --help) usage ;;
  '')
    usage >&2
    exit 2
    ;;
  *) fail "there is no lock \"$part\": rust, crates, hashes, debian or all; see --help" ;;
esac

# shellcheck shell=bash disable=SC2154 # the variables of the derivation (update.nix)
# The files with hashes, in the order of update.sh.
export HASH_FILES="nix/workspace/default.nix nix/rust/libc.nix nix/release/pack.nix nix/heavy/dependencies.nix
  nix/programs/programs.nix templates/default/flake.nix nix/tools.nix"
HASH_FILES=${HASH_FILES//$'\n'/}

# The release that the tests renew to. No release of Rust has this version or date.
next=9.8.7
next_date=2199-12-31
first=sha256-FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF=
last=sha256-LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL=

work=$(mktemp -d)
tree=$work/tree
server=$work/server
mkdir "$work/programs" "$work/tmp"
programs=$work/programs
export TMPDIR=$work/tmp
passed=0

# The current release in the files.
now=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$source/rust-toolchain.toml")
now_date=$(sed -n "s|.*/dist/\(.*\)/rustc-$now-x86_64.*|\1|p" "$source/flake.nix")
older=$(sed -n 's|.*/rustc-\(.*\)-x86_64.*|\1|p' "$source/flake.nix" | grep -vxF "$now" | head -n 1)
now_first=$(sed -n 's/.*"\(sha256-.*\)".*/\1/p' "$source/nix/workspace/default.nix")
now_last=$(sed -n 's/.*"\(sha256-.*\)".*/\1/p' "$source/nix/tools.nix" | tail -n 1)

fail() {
  echo "update, $about: $*" >&2
  exit 1
}

stand_in() {
  {
    echo "#!$BASH"
    echo 'set -euo pipefail'
    cat
  } >"$programs/$1"
  chmod +x "$programs/$1"
}

# Fetches files, locks the inputs in flake.nix, and knows the right hashes: those in the files, or FIRST and LAST. ON_LOCK and
# ON_BUILD are shell text that changes its behaviour.
stand_in nix <<'END'
shift 2 # --extra-experimental-features
case "$1 $2" in
  "store prefetch-file")
    file=${4/#https:\/\/static.rust-lang.org/$SERVER}
    file=${file#file://}
    [[ -f $file ]] || { echo "error: unable to download '$4'" >&2; exit 1; }
    echo "{\"hash\":\"sha256-0\",\"storePath\":\"$file\"}"
    ;;
  "flake lock")
    folder=${3#path:}
    eval "${ON_LOCK:-}"
    grep -o '"https:[^"]*"' "$folder/flake.nix" >"$folder/named"
    cmp -s "$folder/named" <(grep -o '"https:[^"]*"' "$folder/flake.lock") || cp "$folder/named" "$folder/flake.lock"
    ;;
  "shell path:"*)
    [[ $2 == *#rust.toolchains.build && $3 == --command ]]
    shift 3
    "$@"
    ;;
  "eval --impure")
    if [[ -n ${WANTED_ARCHITECTURE:-} ]]; then
      echo "what is wanted on $WANTED_ARCHITECTURE"
    elif [[ -n ${WANTED_KEY:-} ]]; then
      sed -n "s/^ *\"$WANTED_KEY\": \"\(.*\)\".*/\1/p" "$WANTED_FILE"
    elif [[ $* == *"? sources"* ]]; then
      echo false
    else
      echo "$(cat "$NEW_LOCK"), where was $(cat "$OLD_LOCK")"
    fi
    ;;
  "eval --raw") printf 'tools.one tools.another' ;;
  "build --keep-going")
    eval "${ON_BUILD:-}"
    folder=${4#path:}
    folder=${folder%#*}
    read -ra files <<<"$HASH_FILES"
    mapfile -t right < <(cd "$SOURCE" && grep -ho 'sha256-[^"]*' "${files[@]}")
    mapfile -t said < <(cd "$folder" && grep -ho 'sha256-[^"]*' "${files[@]}")
    right[0]=${FIRST:-${right[0]}}
    right[-1]=${LAST:-${right[-1]}}
    for i in "${!said[@]}"; do
      # An output that is not requested is not built, so its hash is not checked.
      [[ $i == 0 || $* == *#tools.one*#tools.another ]] || continue
      [[ ${said[i]} != "${right[i]}" ]] || continue
      echo "error: hash mismatch in fixed-output derivation '/nix/store/crates.drv':"
      echo "         specified: ${said[i]}"
      echo "            got:    ${right[i]}"
    done
    exit 1
    ;;
  "run --print-build-logs") echo "nix $*" ;;
  *) echo "the stand-in for nix does not know: $*" >&2; exit 1 ;;
esac
END
stand_in git <<'END'
[[ $1 == -C && "$3 $4" == "ls-files -z" ]]
cd "$2"
find . -name .git -prune -o -type f -print0
# A file that was removed and is still tracked.
printf './removed\0'
END
stand_in cargo <<'END'
[[ $1 == update ]]
shift
if [[ $* == --workspace ]]; then exit; fi
[[ $* != fail ]] || { echo "error: no such crate" >&2; exit 1; }
echo '# cargo update' "$@" >>Cargo.lock
END
# The stand-ins for Debian's lock: a valid signature, an index that is not compressed, a lock of one line.
stand_in gpgv <<'END'
[[ -z ${SIGNATURE:-} ]] || { echo "gpgv: $SIGNATURE" >&2; exit 1; }
while [[ $1 != --output ]]; do shift; done
cp "$3" "$2"
END
stand_in unxz <<'END'
cat
END
stand_in debian-lock <<'END'
eval "${ON_RESOLVE:-}"
echo "$(cat "$2") by $(cat "$4") at $6"
END
# The server that stands in for the network, and the file with the process id of the script.
export PATH=$programs:$PATH SERVER=$server SOURCE=$source PID=$work/pid

# Makes a work tree of this flake's files, locked, and a server with the next release of each file.
prepare() {
  rm -rf "$tree" "$server"
  mkdir -p "$tree/.git" "$server/dist"
  cp -r "$source/." "$tree/"
  chmod -R u+w "$tree"
  grep -o '"https:[^"]*"' "$tree/flake.nix" >"$tree/flake.lock"
  publish stable "$next" "$next_date"
}

# Puts release $2 of date $3 on the server as channel $1.
publish() {
  local file=$server/dist/channel-rust-$1.toml
  {
    printf 'manifest-version = "2"\ndate = "%s"\n\n' "$3"
    printf '[pkg.rls-preview]\nversion = "1.2.3 (of another)"\n\n[pkg.rust]\nversion = "%s (hash 2100-01-01)"\n\n' "$2"
    grep -o '"https:[^"]*"' "$source/flake.nix" | grep -F -- "-$now" |
      sed -e "s/^/xz_url = /" -e "s/$now_date/$3/" -e "s/-$now/-$2/"
    printf 'date = "1999-01-01"\n'
  } >"$file"
  sum "$1"
}

sum() {
  local found
  found=$(sha256sum <"$server/dist/channel-rust-$1.toml")
  # In the server's form: without a file name or a newline.
  printf '%s' "${found%% *}" >"$server/dist/channel-rust-$1.toml.sha256"
}

# Publishes an index for each architecture on the Debian mirror.
publish_debian() {
  local folder=$server/dists/trixie architecture index
  mkdir -p "$folder"
  printf 'Codename: trixie\nDate: Sat, 21 Nov 2026 09:15:44 UTC\nSHA256:\n' >"$folder/InRelease"
  for architecture in amd64 arm64; do
    index=main/binary-$architecture/Packages.xz
    mkdir -p "$folder/${index%/*}"
    echo "packages of $architecture" >"$folder/$index"
    printf ' %s 1 %s\n' "$(sha256sum <"$folder/$index" | cut -d ' ' -f 1)" "$index" >>"$folder/InRelease"
  done
}

# Checks that the Debian locks were made from the index, at date $1.
has_debian() {
  [[ $(cat "$tree/nix/base/debian/debian.json") == "packages of amd64 by what is wanted on amd64 at $1" &&
    $(cat "$tree/nix/base/debian/arm64/debian.json") == "packages of arm64 by what is wanted on arm64 at $1" ]] ||
    fail "the locks have wrong contents"
  [[ $(find "$tree" -type f | wc -l) == "$(find "$source" -type f | wc -l)" ]] || fail "left a file in the work tree"
  passed=$((passed + 1))
}

# The apps set this variable.
export UPDATING=$source/nix/updating.sh

# Runs the script under test in the work tree with these arguments. Sets said to its output and status to its exit status.
script=nix/update.sh
update() {
  status=0
  # shellcheck disable=SC2016 # the inner shell's variables
  said=$(cd "$tree" && "$BASH" -c 'echo $$ >"$PID"; exec "$0" "$@"' "$BASH" "$source/$script" "$@" 2>&1) || status=$?
  [[ -z $(ls -A "$TMPDIR") ]] || fail "left behind in TMPDIR:" "$TMPDIR"/*
}

# Expects the script to succeed, with the text $1 in its output.
succeeds() {
  local words=$1
  shift
  update "$@"
  [[ $status -eq 0 ]] || fail "failed with $status: $said"
  [[ $said == *"$words"* ]] || fail "did not print \"$words\": $said"
  passed=$((passed + 1))
}

# Expects the script to fail, with the text $1 in its output, and to leave the work tree unchanged.
refuses() {
  local words=$1
  shift
  rm -rf "$work/before"
  cp -r "$tree" "$work/before"
  update "$@"
  [[ $status -ne 0 ]] || fail "did not fail: $said"
  [[ $said == *"$words"* ]] || fail "did not print \"$words\": $said"
  diff -r "$work/before" "$tree" >&2 || fail "failed, and changed the work tree"
  passed=$((passed + 1))
}

# Checks that the file $1 only differs by these replacements, which are pairs of old and new text.
only_changed() {
  local file=$1 expected
  expected=$(cat "$source/$file")
  shift
  while [[ $# -gt 0 ]]; do
    [[ $expected == *"$1"* ]] || fail "$file has no $1"
    expected=${expected//"$1"/"$2"}
    shift 2
  done
  diff <(echo "$expected") "$tree/$file" >&2 || fail "$file has wrong contents"
}

# Checks that flake.lock has the inputs of flake.nix.
locked() {
  diff <(grep -o '"https:[^"]*"' "$tree/flake.nix") "$tree/flake.lock" >&2 || fail "flake.lock and flake.nix differ"
}

# Checks that the files name release $1 of Rust, of date $2.
has_release() {
  only_changed flake.nix "$now_date" "$2" "-$now" "-$1"
  only_changed rust-toolchain.toml "$now" "$1"
  only_changed Cargo.toml "rust-version = \"${now%.*}\"" "rust-version = \"${1%.*}\""
  locked
  [[ $(find "$tree" -type f | wc -l) == "$(find "$source" -type f | wc -l)" ]] || fail "left a file in the work tree"
  passed=$((passed + 1))
}

# Checks that the lines $1 were added to Cargo.lock, and that the first hash is $2 and the last $3.
has_crates() {
  diff <(cat "$source/Cargo.lock" && printf '%s' "$1") <(cat "$tree/Cargo.lock") >&2 || fail "Cargo.lock has wrong contents"
  only_changed nix/workspace/default.nix "$now_first" "$2"
  only_changed nix/tools.nix "$now_last" "$3"
  passed=$((passed + 1))
}

at=file://$server
line=$'\n'

about="the command line"
prepare
succeeds "usage: nix run .#update" --help
succeeds "usage: nix run .#update" rust --help
refuses "usage: nix run .#update"
refuses 'there is no lock "cargo"' cargo
refuses "unknown argument --date" rust --date 20261123T000000Z
refuses "--server needs a value" rust --server
refuses "write an address with" rust --server static.example
refuses "write the version like" rust stable
refuses "rust takes one version, not two: 1.2 and 1.3" rust 1.2 1.3
refuses "all takes no arguments" all --mirror apt
refuses "hashes takes no arguments" hashes nix/tools.nix
refuses "this renews only the work tree's Cargo.lock" crates --manifest-path=../Cargo.toml
succeeds "nix run --print-build-logs $tree#update-debian -- --mirror apt" debian --mirror apt

about="not in a work tree"
prepare
rm -r "$tree/.git"
refuses "is not in a git work tree" rust --server "$at"

about="the newest release"
prepare
succeeds "rustc-x86_64-unknown-linux-gnu: $now of $now_date -> $next of $next_date" rust --server "$at"
has_release "$next" "$next_date"

about="once more"
touch -d @1 "$tree"/*
succeeds "nothing changed" rust --server "$at/"
[[ -z $(find "$tree" -maxdepth 1 -type f -mmin -60) ]] || fail "wrote files that did not change"

about="a release by name, older than the present"
prepare
publish 1.90 1.90.4 2025-10-10
succeeds "-> 1.90.4 of 2025-10-10" rust --server "$at" 1.90
has_release 1.90.4 2025-10-10
refuses "cannot download file://$server/dist/channel-rust-9.9.9.toml" rust 9.9.9 --server "$at"

about="an older release without its name"
prepare
publish stable 1.90.4 2025-10-10
refuses "older than $now" rust --server "$at"

about="the older release of the published crates"
prepare
publish "$older" "$older" 2025-06-26
refuses "flake.nix already has Rust $older" rust "$older" --server "$at"

about="a missing server"
prepare
rm -r "$server"
refuses "cannot download file://$server/dist/channel-rust-stable.toml; check the network" rust --server "$at"

about="a damaged list of files"
prepare
echo >>"$server/dist/channel-rust-stable.toml"
refuses "but channel-rust-stable.toml.sha256 says" rust --server "$at"
: >"$server/dist/channel-rust-stable.toml.sha256"
refuses "but channel-rust-stable.toml.sha256 says \"\"" rust --server "$at"
echo '<html>' >"$server/dist/channel-rust-stable.toml"
sum stable
refuses "is $at a release server of Rust?" rust --server "$at"
publish stable "$next" tomorrow
refuses 'date "tomorrow"' rust --server "$at"
publish 9.8 9.7.1 "$next_date"
refuses "lists Rust 9.7.1 instead of 9.8" rust 9.8 --server "$at"
publish stable "$next" "$next_date"
sed -i '/rustfmt-/d' "$server/dist/channel-rust-stable.toml"
sum stable
refuses "Rust $next has no rustfmt-$next-x86_64-unknown-linux-gnu.tar.xz" rust --server "$at"
publish stable "$next" "$next_date"
sed -i '/rustfmt-.*aarch64/d' "$server/dist/channel-rust-stable.toml"
sum stable
refuses "Rust $next has no rustfmt-$next-aarch64-unknown-linux-gnu.tar.xz" rust --server "$at"

about="files that do not agree"
prepare
sed -i "s/-$now/-1.2.3/" "$tree/flake.nix"
refuses "flake.nix names no file of Rust $now" rust --server "$at"
prepare
sed -i 's/^channel = .*/channel = "stable"/' "$tree/rust-toolchain.toml"
refuses "rust-toolchain.toml names no release" rust --server "$at"
prepare
sed -i '/^rust-version = /d' "$tree/Cargo.toml"
refuses "no rust-version under [workspace.package]" rust --server "$at"

about="a lock that Nix cannot make"
prepare
ON_LOCK='exit 1' refuses "nix could not fetch the release" rust --server "$at"
ON_LOCK='exit 0' refuses "nix flake lock left out" rust --server "$at"

# A build in the background of a script ignores SIGINT, and one under nohup ignores SIGHUP. Its child processes inherit that.
signals=()
ignored=$((16#$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)))
for signal in HUP INT TERM; do
  if ((ignored >> $(kill -l "$signal") - 1 & 1)); then
    echo "SIG$signal is ignored here: its cases are left out"
  else
    signals+=("$signal")
  fi
done

about="an interrupt"
for signal in "${signals[@]}"; do
  prepare
  # All processes get the signal, as from a terminal.
  ON_LOCK="kill -$signal \$(<\$PID); kill -$signal \$\$" refuses "locking Rust $next" rust --server "$at"
  # Only the script gets it, and its child process succeeds.
  [[ $signal == INT ]] || ON_LOCK="kill -$signal \$(<\$PID); sleep 1" refuses "locking Rust $next" rust --server "$at"
done

about="an edit during the renewal"
prepare
cp -r "$tree" "$work/edited"
ON_LOCK="echo '# an edit' >>$tree/flake.nix" update rust --server "$at"
echo '# an edit' >>"$work/edited/flake.nix"
[[ $status -ne 0 && $said == *"flake.nix was edited during"* ]] || fail "was not noticed: $said"
diff -r "$work/edited" "$tree" >&2 || fail "the edit is lost"
passed=$((passed + 1))

about="edits before the renewal"
prepare
echo '# an edit' >>"$tree/Cargo.toml"
succeeds "-> $next" rust --server "$at"
[[ $(tail -n 1 "$tree/Cargo.toml") == '# an edit' ]] || fail "the edit is lost"
passed=$((passed + 1))

# Moves files. ON_MOVE is shell text that runs first.
mv=$(type -P mv)
stand_in mv <<END
eval "\${ON_MOVE:-}"
exec $mv "\$@"
END

about="a signal between the moves"
for signal in "${signals[@]}"; do
  prepare
  ON_MOVE="[[ \$2 != */flake.lock ]] || kill -$signal \$(<\$PID)" succeeds "-> $next" rust --server "$at"
  has_release "$next" "$next_date"
done

about="a move that fails"
for file in flake.nix flake.lock Cargo.toml rust-toolchain.toml; do
  prepare
  ON_MOVE="[[ \$2 != */$file ]] || exit 1" refuses "cannot write $file; no file was changed" rust --server "$at"
done

about="the crates"
prepare
FIRST=$first LAST=$last succeeds "hash: $now_first -> $first" crates --package serde
has_crates "# cargo update --package serde$line" "$first" "$now_last"
prepare
FIRST=$first succeeds "wrote nix/workspace/default.nix$line" crates --workspace
has_crates "" "$first" "$now_last"
FIRST=$first succeeds "nothing changed" crates --workspace
has_crates "" "$first" "$now_last"

about="the hashes"
prepare
FIRST=$first LAST=$last succeeds "hash: $now_last -> $last" hashes
has_crates "" "$first" "$last"
FIRST=$first LAST=$last succeeds "nothing changed" hashes
has_crates "" "$first" "$last"
prepare
sed -i 's/ hash = "sha256-/ cargoHash = "sha256-/' "$tree/nix/workspace/default.nix"
FIRST=$first succeeds "$now_first -> $first" hashes
grep -q "^ *cargoHash = \"$first\";" "$tree/nix/workspace/default.nix" || fail "the hash was not written"
prepare
sed -i 's/ash = "sha256-.*/ash = "";/' "$tree/nix/workspace/default.nix"
FIRST=$first succeeds "-> $first" hashes
has_crates "" "$first" "$now_last"

about="hashes that are not found"
prepare
refuses "cargo update failed" crates fail
ON_BUILD='exit 0' refuses "nix did not report the right hash instead of \"$now_first\"" crates
ON_BUILD='echo "error: no network"; exit 1' refuses "Nix printed:${line}error: no network" crates
# The placeholder of the last hash is the right one, so Nix does not report it.
read -ra files <<<"$HASH_FILES"
LAST=$(printf 'sha256-%03d%040d=' "$(($(cd "$source" && cat "${files[@]}" | grep -c sha256-) - 1))" 0) \
  refuses "nix did not report the right hash instead of \"$now_last\"" hashes
ON_BUILD="kill -TERM \$(<\$PID); sleep 1" refuses "for the hashes" hashes
sed -i '/sha256-/d' "$tree/nix/workspace/default.nix"
refuses "nix/workspace/default.nix has no line like" crates

about="a release whose cargo lays out crates in another way"
prepare
FIRST=$first LAST=$last succeeds "hash: $now_last -> $last" rust --server "$at"
has_release "$next" "$next_date"
has_crates "" "$first" "$last"

about="a release, and then no hashes"
prepare
ON_BUILD='exit 0' update rust --server "$at"
[[ $status -ne 0 && $said == *"nix did not report"* ]] || fail "did not fail: $said"
has_release "$next" "$next_date"
has_crates "" "$now_first" "$now_last"

about="all, from the release server itself"
prepare
FIRST=$first succeeds "$tree#update-debian" all
has_release "$next" "$next_date"
has_crates "# cargo update$line" "$first" "$now_last"

script=nix/base/debian/update.sh
date=20261122T000000Z
debian=(--date "$date" --mirror "$at")
export DEBIAN_KEYRING=$source/flake.nix

about="Debian, the command line"
prepare
succeeds "usage: nix run .#update -- debian" --help
refuses "unknown argument debian" debian
refuses "--mirror needs a value" --mirror
refuses "write the date like" --date today
refuses "is in the future" --date 99991231T000000Z
refuses "write an address with" --mirror mirror.example
DEBIAN_KEYRING='' refuses "DEBIAN_KEYRING is not set" "${debian[@]}"
rm -r "$tree/.git"
refuses "is not in a git work tree" "${debian[@]}"

about="Debian"
prepare
publish_debian
succeeds "packages of arm64 by what is wanted on arm64 at $date, where was {" "${debian[@]}"
has_debian "$date"
succeeds "warning: InRelease is from 20261121T091544Z" --date 20261120T000000Z --mirror "$at"
has_debian 20261120T000000Z

about="Debian, a failure at the second lock"
prepare
publish_debian
ON_RESOLVE="[[ \$4 != *-arm64.json ]]" refuses "debian-lock failed" "${debian[@]}"
for signal in "${signals[@]}"; do
  ON_RESOLVE="[[ \$4 != *-arm64.json ]] || { kill -$signal \$(<\$PID); kill -$signal \$\$; }" \
    refuses "binary-arm64" "${debian[@]}"
done
rm "$server/dists/trixie/main/binary-arm64/Packages.xz"
refuses "cannot download $at/dists/trixie/main/binary-arm64/Packages.xz" "${debian[@]}"

about="Debian, an index that is not to be trusted"
publish_debian
SIGNATURE="BAD signature" refuses "gpgv: BAD signature" "${debian[@]}"
echo more >>"$server/dists/trixie/main/binary-amd64/Packages.xz"
refuses "has the SHA-256" "${debian[@]}"

about="Debian, a signal between the moves"
for signal in "${signals[@]}"; do
  prepare
  publish_debian
  ON_MOVE="[[ \$2 != */arm64/* ]] || kill -$signal \$(<\$PID)" succeeds "wrote" "${debian[@]}"
  has_debian "$date"
done

echo "$passed cases" | tee "$out"

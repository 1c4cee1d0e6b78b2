#!/usr/bin/env bash
# Renews the locks of Debian packages: debian.json for amd64, and
# arm64/debian.json.
#
# The script takes its tools from PATH (bash, busybox or coreutils, gpgv, unxz,
# nix, debian-lock) and the keyring from DEBIAN_KEYRING. The flake app
# update-debian sets both, and `nix run .#update -- debian` runs the app. All
# downloads go through Nix.

set -euo pipefail

archive=https://snapshot.debian.org/archive/debian
# The advice when a download fails.
unreachable='check the date, or name a reachable mirror with --mirror'

usage() {
  cat <<'END'
usage: nix run .#update -- debian [--date DATE] [--mirror URL]

Renews nix/base/debian/debian.json (amd64) and nix/base/debian/arm64/debian.json
in the current git work tree, for the packages in nix/base/debian/wanted.json.

  --date DATE   the date of the snapshot archive to lock, such as
                20261123T000000Z; default: today at 00:00 UTC
  --mirror URL  read the index from this Debian mirror instead of the snapshot
                archive; "apt" selects the mirror that apt on this machine uses.
                The lock still names DATE, so the mirror must have the state of
                that date.
END
}

# shellcheck disable=SC2034 # for the sourced script
self=update-debian
# shellcheck source=/dev/null
source "$UPDATING"

# Prints the string at key $1 of wanted.json.
wanted() {
  # shellcheck disable=SC2016 # the dollar sign is for Nix
  WANTED_FILE=$wanted_file WANTED_KEY=$1 nix_command eval --impure --raw --expr '
    (builtins.fromJSON (builtins.readFile (builtins.getEnv "WANTED_FILE"))).${builtins.getEnv "WANTED_KEY"}
  ' || fail "cannot read \"$1\" from $wanted_file; give it as a string"
}

# Prints the part of wanted.json that applies to architecture $1.
wanted_on() {
  WANTED_FILE=$wanted_file WANTED_ARCHITECTURE=$1 nix_command eval --impure --json --expr '
    import (builtins.dirOf (builtins.getEnv "WANTED_FILE") + "/wanted.nix") {
      wanted = builtins.fromJSON (builtins.readFile (builtins.getEnv "WANTED_FILE"));
      architecture = builtins.getEnv "WANTED_ARCHITECTURE";
    }
  ' || fail "cannot read $wanted_file; Nix says above what is wrong with it"
}

# Prints whether wanted.json names source packages: true or false.
wants_sources() {
  # shellcheck disable=SC2016 # the dollar sign is for Nix
  WANTED_FILE=$wanted_file nix_command eval --impure --expr '
    (builtins.fromJSON (builtins.readFile (builtins.getEnv "WANTED_FILE"))) ? sources
  ' || fail "cannot read $wanted_file"
}

# Prints the root of the mirror that apt on this machine uses.
apt_mirror() {
  local apt line
  # The flake may have narrowed PATH to its own tools.
  apt=$(PATH=$PATH:/usr/bin type -P apt-get) ||
    fail "--mirror apt: there is no apt-get here; name the mirror instead"
  # The label tells the main archive from the one for security updates.
  # shellcheck disable=SC2016 # the dollar sign is for apt
  line=$("$apt" indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian') ||
    fail "--mirror apt: apt-get cannot list its sources; name the mirror instead"
  line=${line%%$'\n'*}
  [[ -n $line ]] ||
    fail "--mirror apt: apt knows no Debian mirror (try apt-get update); name the mirror instead"
  printf '%s' "$line"
}

# Prints the value of field $1 of the signed text.
release_field() {
  local line
  while IFS= read -r line; do
    if [[ $line == "$1: "* ]]; then
      printf '%s' "${line#"$1: "}"
      return
    fi
  done <"$scratch/release"
}

# Prints "hash size" of the file $1 as the signed text states them.
stated() {
  local line hash size name section=
  while IFS= read -r line; do
    if [[ $line != ' '* ]]; then
      section=${line%:}
      continue
    fi
    read -r hash size name <<<"$line"
    if [[ $section == SHA256 && $name == "$1" ]]; then
      printf '%s %s' "$hash" "$size"
      return
    fi
  done <"$scratch/release"
}

# Converts a date such as "Sat, 21 Nov 2026 09:15:44 UTC" to the form of the
# snapshot archive. Not every `date` command can read the former.
snapshot_date() {
  local day month year time zone months=JanFebMarAprMayJunJulAugSepOctNovDec before
  read -r _ day month year time zone <<<"$1"
  before=${months%%"$month"*}
  [[ $zone == UTC && ${#month} -eq 3 && $before != "$months" &&
    $day =~ ^[0-9]{1,2}$ && $year =~ ^[0-9]{4}$ && $time =~ ^[0-9:]{8}$ ]] || return 1
  printf '%s%02d%02dT%sZ' "$year" $((${#before} / 3 + 1)) $((10#$day)) "${time//:/}"
}

# Prints a Nix expression that compares the lock OLD_LOCK, which may be empty,
# with NEW_LOCK. Nix is available anyway, and reads JSON.
summary_expression() {
  cat <<'END'
let
  inherit (builtins) attrNames concatStringsSep filter foldl' fromJSON getEnv hasAttr length map readFile toString;
  old = if getEnv "OLD_LOCK" == "" then { packages = { }; sets = { }; } else fromJSON (readFile (getEnv "OLD_LOCK"));
  new = fromJSON (readFile (getEnv "NEW_LOCK"));

  files = lock: lock.packages // (
    let sources = lock.sources or { };
    in builtins.listToAttrs (map (name: { name = "source of ${name}"; value = sources.${name}; }) (attrNames sources))
  );
  was = files old;
  is = files new;
  added = filter (name: !hasAttr name was) (attrNames is);
  removed = filter (name: !hasAttr name is) (attrNames was);
  common = filter (name: hasAttr name was) (attrNames is);
  changed = filter (name: was.${name}.version != is.${name}.version) common;
  # An archive must never change the content of a version.
  rebuilt = filter (name: was.${name}.version == is.${name}.version && was.${name}.sha256 != is.${name}.sha256) common;

  lines = title: show: names:
    if names == [ ] then [ ] else [ "${title}:" ] ++ map (name: "  ${show name}") names;
  differences =
    lines "added" (name: "${name} ${is.${name}.version}") added
    ++ lines "removed" (name: "${name} ${was.${name}.version}") removed
    ++ lines "changed" (name: "${name} ${was.${name}.version} -> ${is.${name}.version}") changed
    ++ lines "CHANGED CONTENT WITHOUT A NEW VERSION" (name: "${name} ${is.${name}.version}") rebuilt;

  total = lock: names: foldl' (sum: name: sum + lock.packages.${name}.size) 0 names;
  # Tenths of MiB, rounded, without the long tail of a float.
  mib = bytes:
    let tenths = (bytes * 10 + 524288) / 1048576;
    in "${toString (tenths / 10)}.${toString (tenths - tenths / 10 * 10)} MiB";
  set = name:
    let
      names = new.sets.${name};
      before = if hasAttr name old.sets then "before: ${mib (total old old.sets.${name})}" else "new";
    in "${name}: ${toString (length names)} packages, ${mib (total new names)} (${before})";
  gone = filter (name: !hasAttr name new.sets) (attrNames old.sets);
in
concatStringsSep "\n" (
  (if differences == [ ] then [ "no package changed" ] else differences)
  ++ lines "sets, as downloads" set (attrNames new.sets)
  ++ lines "sets that are gone" (name: name) gone
) + "\n"
END
}

# Prints the differences between the locks $1 (empty for none) and $2.
summary() {
  OLD_LOCK=$1 NEW_LOCK=$2 nix_command eval --impure --raw --expr "$(summary_expression)"
}

date=
mirror=
while [[ $# -gt 0 ]]; do
  case $1 in
    --date)
      date=$(value "$@")
      shift 2
      ;;
    --mirror)
      mirror=$(value "$@")
      shift 2
      ;;
    -h | --help)
      usage
      exit
      ;;
    *) fail "unknown argument $1; see --help" ;;
  esac
done

today=$(date -u +%Y%m%dT%H%M%SZ)
[[ -n $date ]] || date=${today%T*}T000000Z
[[ $date =~ ^[0-9]{8}T[0-9]{6}Z$ ]] ||
  fail "--date $date: write the date like 20261123T000000Z"
# For a future date the archive serves its newest state, which later differs
# from the state of that date.
[[ ! $date > $today ]] || fail "--date $date is in the future; choose a date in the past"

keyring=${DEBIAN_KEYRING:-}
[[ -n $keyring ]] ||
  fail "DEBIAN_KEYRING is not set; run this as nix run .#update -- debian, or set the variable to the file of Debian's archive keys"
[[ -f $keyring ]] || fail "DEBIAN_KEYRING: there is no file $keyring"
# gpgv looks up a bare file name in its home directory.
[[ $keyring == /* ]] || keyring=$PWD/$keyring

for tool in gpgv unxz sha256sum nix debian-lock; do
  type -P "$tool" >/dev/null ||
    fail "$tool is not in PATH; run this as nix run .#update -- debian"
done

root=$(find_root)
wanted_file=$root/nix/base/debian/wanted.json

case $mirror in
  '') mirror=$archive/$date ;;
  apt) mirror=$(apt_mirror) ;;
  http://* | https://* | file://*) ;;
  *) fail "--mirror $mirror: write an address with http://, https:// or file://, or the word apt" ;;
esac
mirror=${mirror%/}

scratch=$(mktemp -d)
# One entry per lock: its path, the new lock, and the summary of changes.
locks=()
fresh=()
changes=()
trap 'rm -rf "$scratch" "${fresh[@]}"' EXIT

# Downloads the index $1, checks its hash against the signed text, and unpacks
# it to $2.
index() {
  local hash size packed found
  read -r hash size <<<"$(stated "$1")"
  [[ $hash =~ ^[0-9a-f]{64}$ ]] ||
    fail "InRelease states no SHA-256 for $1; does the suite \"$suite\" have this architecture?"
  packed=$(download "$mirror/dists/$suite/$1" "$unreachable")
  found=$(sha256sum <"$packed")
  found=${found%% *}
  [[ $found == "$hash" ]] ||
    fail "$1 has the SHA-256 $found, but InRelease states $hash (and $size bytes); the mirror may be in the middle of an update, try again later"
  unxz -c <"$packed" >"$2" || fail "cannot unpack $1"
}

# Makes a new version of the lock $2 of architecture $1, in the same folder.
prepare() {
  local architecture=$1 lock=$2 selected=$scratch/wanted-$1.json release codename stamp published previous made indices
  rm -f "$scratch/release"

  suite=$(wanted suite)
  [[ $suite =~ ^[a-z0-9.-]+$ ]] || fail "$wanted_file: suite \"$suite\" has to be a plain lower-case word"
  wanted_on "$architecture" >"$selected"

  release=$(download "$mirror/dists/$suite/InRelease" "$unreachable")
  # Only the output of gpgv is read below: the signature does not cover text
  # around the signed part.
  gpgv --homedir "$scratch" --keyring "$keyring" --output "$scratch/release" "$release" \
    2>"$scratch/gpgv" || {
    cat "$scratch/gpgv" >&2
    fail "the signature of InRelease is not valid for the keys in $keyring; do not use this mirror, or renew the keyring if Debian has new keys"
  }

  codename=$(release_field Codename)
  [[ $codename == "$suite" ]] ||
    fail "InRelease has the code name \"$codename\" instead of \"$suite\"; write the code name as the suite in $wanted_file"

  stamp=$(release_field Date)
  if published=$(snapshot_date "$stamp"); then
    [[ ! $date < $published ]] ||
      warn "InRelease is from $published, after the chosen date $date: the snapshot of that date may lack packages of this lock; choose a later date"
  else
    warn "the date of InRelease, \"$stamp\", has an unknown form; it was not compared with $date"
  fi

  index "main/binary-$architecture/Packages.xz" "$scratch/Packages"
  indices=(--packages "$scratch/Packages")
  if [[ $(wants_sources) == true ]]; then
    index main/source/Sources.xz "$scratch/Sources"
    indices+=(--sources "$scratch/Sources")
  fi

  # In the same folder, so the move at the end replaces the lock atomically.
  made=$(mktemp "${lock%/*}/.debian.json.XXXXXX")
  fresh+=("$made")
  debian-lock "${indices[@]}" --wanted "$selected" --snapshot "$date" >"$made" ||
    fail "debian-lock failed for the $architecture packages in $wanted_file; $lock was not changed"
  chmod 644 "$made"

  previous=
  if [[ -f $lock ]]; then
    previous=$lock
  fi
  changes+=("$(summary "$previous" "$made")") ||
    fail "cannot compare the new lock with $lock; remove that file if it is damaged"
  locks+=("$lock")
}

prepare amd64 "$root/nix/base/debian/debian.json"
prepare arm64 "$root/nix/base/debian/arm64/debian.json"

# Both locks must have the same date, so signals are ignored between the moves.
trap '' HUP INT TERM
for i in "${!locks[@]}"; do
  mv "${fresh[i]}" "${locks[i]}"
  say "wrote ${locks[i]} at $date"
  printf '%s\n' "${changes[i]}"
done

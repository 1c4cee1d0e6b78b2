# shellcheck shell=bash disable=SC2154 # the script that sources this sets self
# The functions that the scripts for renewing locks share. Their messages start with `self`.

fail() {
  printf '%s: %s\n' "$self" "$*" >&2
  exit 1
}

warn() {
  printf '%s: warning: %s\n' "$self" "$*" >&2
}

say() {
  printf '%s: %s\n' "$self" "$*" >&2
}

# Prints the value of --option when it has one.
value() {
  [[ $# -ge 2 && -n $2 ]] || fail "$1 needs a value; see --help"
  printf '%s' "$2"
}

# Prints the git work tree of the current folder. The flake app itself is in the store.
find_root() {
  local root=$PWD
  while [[ -n $root && ! -e $root/.git ]]; do
    root=${root%/*}
  done
  [[ -n $root && -f $root/flake.lock && -f $root/nix/updating.sh ]] ||
    fail "$PWD is not in a git work tree of this flake; change to one"
  printf '%s' "$root"
}

nix_command() {
  nix --extra-experimental-features 'nix-command flakes' "$@"
}

# Downloads $1 and prints the path of the file. $2 is the advice if that fails.
download() {
  local answer path
  say "downloading $1"
  answer=$(nix_command store prefetch-file --json "$1") || fail "cannot download $1; $2"
  path=${answer#*'"storePath":"'}
  path=${path%%'"'*}
  [[ -f $path ]] || fail "nix store prefetch-file gave an answer without a file: $answer"
  printf '%s' "$path"
}

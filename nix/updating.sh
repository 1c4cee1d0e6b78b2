# shellcheck shell=bash disable=SC2154 # self is set by who sources this
# What the scripts that renew locks have in common. Their messages start with `self`.

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

nix_command() {
  nix --extra-experimental-features 'nix-command flakes' "$@"
}

# Downloads $1 and prints where it lies; $2 is what to do when that fails.
download() {
  local answer path
  say "downloading $1"
  answer=$(nix_command store prefetch-file --json "$1") || fail "cannot download $1; $2"
  path=${answer#*'"storePath":"'}
  path=${path%%'"'*}
  [[ -f $path ]] || fail "nix store prefetch-file gave an answer without a file: $answer"
  printf '%s' "$path"
}

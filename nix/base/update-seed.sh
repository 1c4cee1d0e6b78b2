#!/usr/bin/env bash
# Replaces the committed seeds of all systems with builds of crates/seed.
set -euo pipefail

# shellcheck disable=SC2034 # for the sourced script
self=update-seed
# shellcheck source=/dev/null
source "$UPDATING"

systems=(x86_64-linux aarch64-linux)
root=$(find_root)
folder=$root/nix/base
built=$(mktemp -d)
trap 'rm -rf "$built" "$folder"/seed.*.new' EXIT
for system in "${systems[@]}"; do
  nix_command build "$root#rebuiltSeeds.$system" --out-link "$built/$system"
  # In the same folder, so the move below replaces the seed atomically.
  cp "$built/$system/bin/seed" "$folder/seed.$system.new"
  chmod 755 "$folder/seed.$system.new"
done
# Both builds succeeded.
for system in "${systems[@]}"; do
  mv "$folder/seed.$system.new" "$folder/seed.$system"
done
git -C "$root" status --short "${systems[@]/#/nix/base/seed.}"

#!/usr/bin/env bash
# Puts what crates/seed builds to in the place of the committed seeds, of x86_64 and aarch64.
set -euo pipefail

folder=nix/base
systems=(x86_64-linux aarch64-linux)
if [ ! -f "$folder/seed.x86_64-linux" ]; then
  echo "update-seed: $folder/seed.x86_64-linux is not here: run this at the top of Broker's work tree" >&2
  exit 1
fi
built=$(mktemp -d)
trap 'rm -rf "$built" "$folder"/seed.*.new' EXIT
for system in "${systems[@]}"; do
  nix --extra-experimental-features 'nix-command flakes' build ".#rebuiltSeeds.$system" --out-link "$built/$system"
  # In the same folder, so that a move replaces the seed at once.
  cp "$built/$system/bin/seed" "$folder/seed.$system.new"
  chmod 755 "$folder/seed.$system.new"
done
# Both are there.
for system in "${systems[@]}"; do
  mv "$folder/seed.$system.new" "$folder/seed.$system"
done
git status --short "${systems[@]/#/$folder/seed.}"

#!/usr/bin/env bash
# Puts what crates/seed builds to in the place of the committed seed.
set -euo pipefail

seed=nix/base/seed.x86_64-linux
if [ ! -f "$seed" ]; then
  echo "update-seed: $seed is not here: run this at the top of Broker's work tree" >&2
  exit 1
fi
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
nix --extra-experimental-features 'nix-command flakes' build .#rebuiltSeed --out-link "$built/seed"
cp "$built/seed/bin/seed" "$seed.new"
chmod 755 "$seed.new"
mv "$seed.new" "$seed"
git status --short "$seed"

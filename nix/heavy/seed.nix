# The committed seed of a system is byte for byte what its source builds to, and at most half a megabyte.
{ derive }:
system: seed: rebuiltSeed:
derive {
  name = "seed-equality-${system}";
  inherit seed rebuiltSeed;
  file = "nix/base/seed.${system}";
  script = ''
    cmp $seed $rebuiltSeed/bin/seed || {
      echo "$file is not what crates/seed builds to; replace it with: nix run .#update-seed" >&2
      exit 1
    }
    size=$(stat -c %s $seed)
    [ "$size" -le 524288 ] || { echo "$file has $size bytes, the limit is 524288" >&2; exit 1; }
    echo "equal, $size bytes" | tee $out
  '';
}

# The committed seed is what its source builds to.
{ derive, seed, rebuiltSeed }:
derive {
  name = "seed-equality";
  inherit seed rebuiltSeed;
  script = ''
    cmp $seed $rebuiltSeed/bin/seed || {
      echo "nix/base's seed is not what crates/seed builds to; make it so with: nix run .#update-seed" >&2
      exit 1
    }
    echo "equal, $(stat -c %s $seed) bytes" | tee $out
  '';
}

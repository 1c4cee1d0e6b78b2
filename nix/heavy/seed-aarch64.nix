# The committed seed for aarch64 is what its source builds to, and the base there starts from it, in an emulator: it unpacks
# the packages of the shell, and of these busybox and bash run. As in nix/base/shell.nix, for this is all that can be tried
# of a build there: a program that starts another would start it on this machine.
{ derive, emulator, seed, debs, rebuiltSeed }:
derive {
  name = "seed-aarch64";
  inherit seed debs rebuiltSeed;
  nativeInputs = [ emulator ];
  script = ''
    cmp $seed $rebuiltSeed/bin/seed || {
      echo "nix/base/seed.aarch64-linux is not what crates/seed builds to; make it so with: nix run .#update-seed" >&2
      exit 1
    }
    size=$(stat -c %s $seed)
    [ "$size" -lt 524288 ] || { echo "the seed has $size bytes, and half a megabyte is allowed" >&2; exit 1; }
    echo "equal, $size bytes" | tee $out

    qemu-aarch64 $seed root $debs
    machine=$(qemu-aarch64 root/usr/bin/busybox uname -m)
    [ "$machine" = aarch64 ] || { echo "busybox says that the machine is: $machine" >&2; exit 1; }
    said=$(qemu-aarch64 root/usr/bin/bash-static -euo pipefail -c 'echo "$MACHTYPE, $((6 * 7))"')
    [ "$said" = "aarch64-unknown-linux-gnu, 42" ] || { echo "bash says: $said" >&2; exit 1; }
    # The applets that shell.nix makes links to are in it.
    applets=$(qemu-aarch64 root/usr/bin/busybox --list)
    for applet in ash chmod cp ln mkdir sed tar xz; do
      grep -qx $applet <<<"$applets" || { echo "busybox has no $applet" >&2; exit 1; }
    done
    # A package that is damaged, or of another form, is refused.
    head -c 100000 ''${debs%% *} >damaged.deb
    if qemu-aarch64 $seed damaged damaged.deb; then
      echo "the seed unpacks half a package" >&2
      exit 1
    fi
    echo "unpacks $debs in an emulator; busybox and bash run" | tee -a $out
  '';
}

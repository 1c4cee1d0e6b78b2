# An aarch64 machine can start from its seed: in an emulator the seed unpacks the packages of the shell, and busybox and bash
# from them run. `equality` is the check that the seed is what its source builds to. No more of nix/base/shell.nix can be
# tried here: a program that starts another program would start it without the emulator.
{ derive, emulator, seed, debs, equality }:
derive {
  name = "seed-aarch64";
  inherit seed debs equality;
  nativeInputs = [ emulator ];
  script = ''
    cat $equality | tee $out

    qemu-aarch64 $seed root $debs
    machine=$(qemu-aarch64 root/usr/bin/busybox uname -m)
    [ "$machine" = aarch64 ] || { echo "busybox reports the machine $machine instead of aarch64" >&2; exit 1; }
    output=$(qemu-aarch64 root/usr/bin/bash-static -euo pipefail -c 'echo "$MACHTYPE, $((6 * 7))"')
    [ "$output" = "aarch64-unknown-linux-gnu, 42" ] || { echo "bash printed: $output" >&2; exit 1; }
    # shell.nix makes links to the applets. These are some of them.
    applets=$(qemu-aarch64 root/usr/bin/busybox --list)
    for applet in ash chmod cp ln mkdir sed tar xz; do
      grep -qx $applet <<<"$applets" || { echo "busybox has no $applet" >&2; exit 1; }
    done
    # The seed rejects a truncated package.
    head -c 100000 ''${debs%% *} >damaged.deb
    if qemu-aarch64 $seed damaged damaged.deb; then
      echo "the seed unpacks a truncated package" >&2
      exit 1
    fi
    echo "unpacks $debs in an emulator; busybox and bash run" | tee -a $out
  '';
}

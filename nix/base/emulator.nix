# The emulator for aarch64 programs: one of the forty static programs in its package.
{ derive, seed, debs }:
derive {
  name = "emulator";
  inherit seed debs;
  script = ''
    $seed root $debs
    mkdir -p $out/bin
    cp root/usr/bin/qemu-aarch64 $out/bin/
  '';
}

# Runs aarch64 programs on this machine: one static program out of a package of forty.
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

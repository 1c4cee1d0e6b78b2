# Static bash and busybox's applets: the shell that builds every other derivation.
{ system, seed, debs }:
let
  unpacked = derivation {
    name = "shell-packages";
    inherit system;
    builder = seed;
    args = [ (builtins.placeholder "out") ] ++ debs;
  };
  busybox = "${unpacked}/usr/bin/busybox";
in
derivation {
  name = "shell";
  inherit system;
  builder = busybox;
  # `sh` is bash, for configure scripts that expect more than POSIX.
  args = [
    "ash"
    "-euc"
    ''
      bb=${busybox}
      $bb mkdir -p $out/bin
      $bb cp $bb ${unpacked}/usr/bin/bash-static $out/bin/
      for applet in $($bb --list | $bb grep -vx busybox); do
        $bb ln -s busybox $out/bin/$applet
      done
      for name in bash sh; do
        $bb ln -sf bash-static $out/bin/$name
      done
    ''
  ];
}

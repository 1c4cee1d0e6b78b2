# make and patchelf. make's default shell is in /bin, so a wrapper names the shell.
{ runnable, shell, debs }:
runnable {
  name = "tools";
  inherit debs;
  finish = ''
    mkdir $out/usr/libexec
    mv $out/usr/bin/make $out/usr/libexec/make
    cat >$out/usr/bin/make <<WRAPPER
    #!${shell}/bin/sh
    exec $out/usr/libexec/make SHELL=${shell}/bin/sh "\$@"
    WRAPPER
    chmod +x $out/usr/bin/make
  '';
}

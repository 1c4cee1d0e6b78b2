# make and patchelf. make looks for its shell in /bin unless it is told.
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

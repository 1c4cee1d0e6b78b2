# patchelf, which sets the interpreter of all other programs. A wrapper starts it through glibc's dynamic linker.
{ derive, seed, shell, glibc, architecture, debs }:
derive {
  name = "patchelf";
  inherit debs seed shell glibc;
  script = ''
    $seed $out $debs
    mkdir -p $out/bin
    cat >$out/bin/patchelf <<WRAPPER
    #!$shell/bin/bash
    exec $glibc/lib/${architecture.interpreter} --library-path $out/usr/lib/${architecture.cpu}-linux-gnu:$glibc/lib $out/usr/bin/patchelf "\$@"
    WRAPPER
    chmod +x $out/bin/patchelf
  '';
}

# patchelf, started through glibc's dynamic linker: it is what gives every other program an interpreter.
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

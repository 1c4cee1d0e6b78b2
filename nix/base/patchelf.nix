# patchelf, started through glibc's dynamic linker: it is what gives every other program an interpreter.
{ derive, seed, shell, glibc, debs }:
derive {
  name = "patchelf";
  inherit debs seed shell glibc;
  script = ''
    $seed $out $debs
    mkdir -p $out/bin
    cat >$out/bin/patchelf <<WRAPPER
    #!$shell/bin/bash
    exec $glibc/lib/ld-linux-x86-64.so.2 --library-path $out/usr/lib/x86_64-linux-gnu:$glibc/lib $out/usr/bin/patchelf "\$@"
    WRAPPER
    chmod +x $out/bin/patchelf
  '';
}

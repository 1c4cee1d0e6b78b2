# clang for static musl programs on aarch64. The compiler and the kernel's headers are those of `cc`; musl and the compiler's
# support files are the target's. The sysroot has the layout of the one in cc.sh, which uses the packages of `cc` itself.
{ derive, seed, cc, debs }:
derive {
  name = "aarch64";
  inherit seed cc debs;
  script = ''
    $seed root $debs
    musl=$out/musl/usr
    mkdir -p $musl/lib $out/bin
    cp -r root/usr/include/aarch64-linux-musl $musl/include
    cp -P root/usr/lib/aarch64-linux-musl/*.{a,o} $musl/lib/
    for headers in linux asm-generic aarch64-linux-gnu/asm; do
      ln -s $cc/usr/include/$headers $musl/include/''${headers##*/}
    done
    cp -r root/usr/lib/gcc-cross/aarch64-linux-gnu/14 $out/support

    # The flags are in a file, as in `cc`.
    cat >$out/clang.cfg <<CFG
    --target=aarch64-unknown-linux-musl
    --sysroot=$out/musl
    --gcc-install-dir=$out/support
    -Wno-unused-command-line-argument
    -fuse-ld=lld
    -static
    CFG
    cat >$out/bin/clang <<WRAPPER
    #!$CONFIG_SHELL
    exec $cc/bin/clang --no-default-config --config=$out/clang.cfg "\$@"
    WRAPPER
    chmod +x $out/bin/clang
  '';
}

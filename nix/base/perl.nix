# perl, whose default paths are /usr for its modules and /bin for a shell.
{ runnable, shell, architecture, debs }:
runnable {
  name = "perl";
  inherit debs;
  finish = ''
    mkdir -p $out/usr/libexec
    mv $out/usr/bin/perl $out/usr/libexec/perl
    # perl starts commands with a pipe, a redirection or the like through execl("/bin/sh"), its only use of execl. A store path
    # is too long for that string, but "sh" fits: execlp, which has the same arguments, finds it on PATH.
    $out/usr/libexec/perl -0777 -pi -e 's{/bin/sh\0}{sh\0\0\0\0\0\0}g == 1 or die "its shell is not in it once"' $out/usr/libexec/perl
    echo execl execlp >renamed
    patchelf --rename-dynamic-symbols renamed $out/usr/libexec/perl
    modules=$(cd $out/usr && ls -d lib/${architecture.cpu}-linux-gnu/perl-base lib/${architecture.cpu}-linux-gnu/perl/5.* share/perl/5.* | sed "s|^|$out/usr/|")
    cat >$out/usr/bin/perl <<WRAPPER
    #!${shell}/bin/sh
    export PERL5LIB=$(echo $modules | tr ' ' :)\''${PERL5LIB:+:\$PERL5LIB}
    # Scripts that start perl again by its own path, as those of OpenSSL do, use PERL instead.
    export PERL=\''${PERL:-$out/usr/bin/perl}
    # OpenSSL embeds its compiler's command in the library, where a store path would be a reference to the compiler.
    case \''${1-} in
      *mkbuildinf.pl) set -- "\$1" "\$(echo "\$2" | sed 's|${builtins.storeDir}/[^ /=]*||g')" "\$3" ;;
    esac
    exec $out/usr/libexec/perl "\$@"
    WRAPPER
    chmod +x $out/usr/bin/perl
    $out/usr/bin/perl -e 'exit(system("true | true") != 0)'
  '';
}

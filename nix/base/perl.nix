# perl, whose default paths are /usr for its modules and /bin for a shell.
{ runnable, shell, architecture, debs }:
runnable {
  name = "perl";
  inherit debs;
  finish = ''
    mkdir -p $out/usr/libexec
    mv $out/usr/bin/perl $out/usr/libexec/perl
    # A command with a pipe, a redirection or the like goes to "/bin/sh" by execl, and nothing else does. There is no room
    # for the path of a shell in the store, but for "sh", which execlp, of the same arguments, finds on PATH.
    $out/usr/libexec/perl -0777 -pi -e 's{/bin/sh\0}{sh\0\0\0\0\0\0}g == 1 or die "its shell is not in it once"' $out/usr/libexec/perl
    echo execl execlp >renamed
    patchelf --rename-dynamic-symbols renamed $out/usr/libexec/perl
    modules=$(cd $out/usr && ls -d lib/${architecture.cpu}-linux-gnu/perl-base lib/${architecture.cpu}-linux-gnu/perl/5.* share/perl/5.* | sed "s|^|$out/usr/|")
    cat >$out/usr/bin/perl <<WRAPPER
    #!${shell}/bin/sh
    export PERL5LIB=$(echo $modules | tr ' ' :)\''${PERL5LIB:+:\$PERL5LIB}
    # What finds itself by its own path, as OpenSSL does, starts this file.
    export PERL=\''${PERL:-$out/usr/bin/perl}
    # OpenSSL keeps its compiler's command in the library, where a path in the store would be a reference to the compiler.
    case \''${1-} in
      *mkbuildinf.pl) set -- "\$1" "\$(echo "\$2" | sed 's|${builtins.storeDir}/[^ /=]*||g')" "\$3" ;;
    esac
    exec $out/usr/libexec/perl "\$@"
    WRAPPER
    chmod +x $out/usr/bin/perl
    $out/usr/bin/perl -e 'exit(system("true | true") != 0)'
  '';
}

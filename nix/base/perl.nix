# perl, which looks for its modules in /usr unless it is told.
{ runnable, shell, debs }:
runnable {
  name = "perl";
  inherit debs;
  finish = ''
    mkdir -p $out/usr/libexec
    mv $out/usr/bin/perl $out/usr/libexec/perl
    modules=$(cd $out/usr && ls -d lib/x86_64-linux-gnu/perl-base lib/x86_64-linux-gnu/perl/5.* share/perl/5.* | sed "s|^|$out/usr/|")
    cat >$out/usr/bin/perl <<WRAPPER
    #!${shell}/bin/sh
    export PERL5LIB=$(echo $modules | tr ' ' :)\''${PERL5LIB:+:\$PERL5LIB}
    # What finds itself by its own path, as OpenSSL does, starts this file.
    export PERL=\''${PERL:-$out/usr/bin/perl}
    exec $out/usr/libexec/perl "\$@"
    WRAPPER
    chmod +x $out/usr/bin/perl
  '';
}

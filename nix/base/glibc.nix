# glibc's dynamic linker and shared libraries, and the other libraries that Rust's executables load. It is the only run-time
# dependency of the glibc builds.
{ derive, seed, architecture, debs }:
derive {
  name = "glibc";
  inherit seed debs;
  script = ''
    $seed root $debs
    mkdir -p $out/lib
    cp -P root/usr/lib/${architecture.cpu}-linux-gnu/*.so* $out/lib/
  '';
}

# Programs that people know, as they are published.
#
# crate        its name, where that is not the program's
# hash         that of the crate and of what its Cargo.lock names
# build        what the library has to know beside
# bin          the file, where that is not named as the program is
# own          the allocator that it names itself, so that another for C code makes no difference
# input        one of those in inputs.nix
# arguments    {input} stands for the path of that; without it, the path comes last
{ lib }:
{
  ripgrep = {
    version = "15.2.0";
    hash = "sha256-bnpPG34FBv8sgcsDUWZLeKlV0xdjFzaq1M8rkRKwSE8=";
    bin = "rg";
    own = "jemalloc where it is built for musl";
    input = "sources";
    arguments = [ "--threads=1" "--line-number" "\\w+_\\w+_\\w+\\(" ];
  };
  tokei = {
    version = "15.0.0";
    hash = "sha256-fZEfzCA1LDjYw4r9GEoBZjitP6JJd2sudW8TXshuSFE=";
    input = "sources";
    # None of its options says how many threads: it has one for each processor.
    arguments = [ ];
  };
  jaq = {
    version = "3.1.2";
    hash = "sha256-CZRih/4hpja4hY2su15CrijrgHKdGsbhAZVFEXmoIuk=";
    own = "mimalloc";
    input = "json";
    arguments = [ "-c" "." ];
  };
  fd = {
    crate = "fd-find";
    version = "10.5.0";
    hash = "sha256-YH8BvzW9046g6QF2B4JAluwSZ/Eqe4l9l5Roi2IOaWY=";
    input = "folders";
    arguments = [ "--threads=1" "--type=file" "--size=-1k" "." "{input}" ];
  };
  oxipng = {
    version = "10.2.1";
    hash = "sha256-iqGcQhFDnpy4fNA971wrZ9ODlecVysOkg0P3w/e/6iE=";
    input = "picture";
    arguments = [ "--threads=1" "--stdout" ];
  };
  # SQLite.
  diesel = {
    crate = "diesel_cli";
    version = "2.3.14";
    hash = "sha256-ZuBQ3ngaaNSe8I6Pe1skcNNbnIWJNesEO5vpCAwjc0Q=";
    # As its documentation installs it where there is no library of any database.
    build = { defaultFeatures = false; features = [ "sqlite-bundled" ]; };
    input = "migrations";
    arguments = [ "migration" "run" "--database-url=:memory:" "--migration-dir={input}" ];
  };
  # zstd.
  ouch = {
    version = "0.8.3";
    hash = "sha256-6mT+WeqnU1mXzxgmrH1kueQtz9dp5+HYKW1ETOZk0dI=";
    # All of its default features but unrar, which is C++ (of which there is no library for glibc here) and no free software.
    build = { defaultFeatures = false; features = [ "use_zlib" "use_zstd_thin" "bzip3" ]; env = lib.bindgen; };
    input = "sources";
    arguments = [ "--threads=1" "--quiet" "compress" "{input}" "sources.tar.zst" ];
  };
}

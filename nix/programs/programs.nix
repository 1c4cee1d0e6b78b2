# Well-known programs, as published.
#
# crate        the crate's name, if it differs from the program's
# hash         the hash of the crate and of the dependencies in its Cargo.lock
# build        further arguments for the library
# bin          the name of the executable, if it differs from the program's
# own          the allocator that the program itself names, so that another one for C code makes no difference
# input        an attribute of inputs.nix
# arguments    {input} is replaced by the path of the input; without it, the path comes last
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
    # It has no option for the number of threads, and starts one for each processor.
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
    # As its documentation says for systems without database libraries.
    build = { defaultFeatures = false; features = [ "sqlite-bundled" ]; };
    input = "migrations";
    arguments = [ "migration" "run" "--database-url=:memory:" "--migration-dir={input}" ];
  };
  # zstd.
  ouch = {
    version = "0.8.3";
    hash = "sha256-6mT+WeqnU1mXzxgmrH1kueQtz9dp5+HYKW1ETOZk0dI=";
    # All of its default features except unrar, which is not free software and contains C++, for which there is no glibc library here.
    build = { defaultFeatures = false; features = [ "use_zlib" "use_zstd_thin" "bzip3" ]; env = lib.bindgen; };
    input = "sources";
    arguments = [ "--threads=1" "--quiet" "compress" "{input}" "sources.tar.zst" ];
  };
}

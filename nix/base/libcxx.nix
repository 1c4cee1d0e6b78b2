# C++ for static musl programs: libc++ with libc++abi in one archive, its headers, and a clang++ that knows both. They are
# compiled by `clang`, the C compiler of `target`. A Rust program has one unwinder, Rust's: the one that is here stands
# apart, for what clang++ links without Rust.
{ derive, cc, archive }:
let
  # What is built, of an archive of two gigabytes.
  source = derive {
    name = "libcxx-source";
    inherit archive;
    script = ''
      name=''${archive#*-}
      top=''${name%.orig.tar.*}
      mkdir $out
      tar -xJf $archive -C $out --strip-components 1 $top/libc/{hdr,include,shared,src/__support} \
        $top/libcxx/{LICENSE.TXT,include,src,vendor} $top/libcxxabi/{include,src} $top/libunwind/{include,src}
    '';
  };
in
{ target, clang }:
derive {
  name = "libcxx-${target}";
  inherit target clang source;
  site = ./libcxx/__config_site;
  nativeInputs = [ cc ];
  script = ./libcxx.sh;
}

# C++ for static musl programs: libc++ and libc++abi in one archive, their headers, and a clang++ that uses both. `clang`, the C
# compiler of `target`, compiles them. Rust programs use Rust's unwinder. The unwinder here is in a folder of its own, for
# programs that clang++ links without Rust.
{ derive, cc, archive }:
let
  # The parts that are built, of an archive that unpacks to two gigabytes.
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

# rustfmt over the Rust files.
{ derive, toolchain, source }:
derive {
  name = "format";
  inherit source;
  nativeInputs = [ toolchain ];
  script = ''
    cd $source
    find . -name '*.rs' -exec rustfmt --edition 2024 --check {} +
    echo formatted >$out
  '';
}

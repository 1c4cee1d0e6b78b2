# rustfmt over the workspace.
{ derive, toolchain, workspace }:
derive {
  name = "format";
  inherit (workspace) source;
  tools = [ toolchain ];
  script = ''
    cd $source
    find . -name '*.rs' -exec rustfmt --edition 2024 --check {} +
    echo formatted >$out
  '';
}

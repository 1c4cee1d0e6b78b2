# shellcheck over every script.
{ derive, checkers, source }:
derive {
  name = "scripts";
  inherit source;
  tools = [ checkers ];
  script = ''
    cd $source
    shellcheck nixw .ci/run clients/run clients/certificates $(find nix -name '*.sh')
    echo checked >$out
  '';
}

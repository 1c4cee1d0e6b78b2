# shellcheck over all scripts.
{ derive, checkers, source }:
derive {
  name = "scripts";
  inherit source;
  nativeInputs = [ checkers ];
  script = ''
    cd $source
    shellcheck nixw .ci/run clients/run clients/certificates nix/release/try nix/checks/refusals/run \
      $(find nix crates -name '*.sh')
    echo checked >$out
  '';
}

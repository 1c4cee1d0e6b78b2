# cargo-deny over all packages of a project's workspace: licences, bans and sources, by its deny.toml. Advisories need a database from the network that
# changes daily: run `cargo deny check advisories` in the development shell.
{ cargo-deny, withoutSources }:
project:
project.cargo {
  name = "${project.name}-deny";
  inherit (project) source;
  nativeInputs = [ cargo-deny ];
  command = ''
    ${withoutSources project}
    cargo deny --workspace --offline --locked check licenses bans sources 2>&1 | tee $out
  '';
}

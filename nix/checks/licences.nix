# cargo-deny: licences, bans and sources. Its fourth, advisories, needs a database that lives on github alone and changes
# by the day: `cargo deny check advisories` in the development shell.
{ cargo, workspace, cargo-deny }:
cargo (workspace // {
  name = "licences";
  nativeInputs = [ cargo-deny ];
  command = "cargo deny --offline --locked check licenses bans sources 2>&1 | tee $out";
})

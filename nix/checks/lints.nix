# clippy over the workspace, without and with jemalloc; a warning is an error.
{ cargo, workspace, common, allDependencies }:
cargo (common // workspace // {
  name = "lints";
  artifacts = allDependencies;
  command = ''
    cargo clippy ''${flags/--features=*/} --workspace --all-targets -- -D warnings 2>&1 | tee $out
    cargo clippy $flags --all-targets -- -D warnings 2>&1 | tee -a $out
  '';
})

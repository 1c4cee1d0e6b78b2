# clippy over the workspace, without and with jemalloc; a warning is an error.
{ project, source, allDependencies }:
project.cargoDevelop {
  name = "lints";
  inherit source;
  artifacts = allDependencies;
  command = ''
    cargo clippy --locked --release --target ${project.target} --workspace --all-targets -- -D warnings 2>&1 | tee $out
    cargo clippy ${project.flags} --all-targets -- -D warnings 2>&1 | tee -a $out
  '';
}

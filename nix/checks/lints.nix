# clippy over the workspace, without and with jemalloc; a warning is an error.
{ project, source, dependencies }:
project.cargoDevelop {
  name = "lints";
  inherit source;
  artifacts = dependencies;
  command = ''
    cargo clippy --locked --target ${project.target} --workspace --all-targets -- -D warnings 2>&1 | tee $out
    cargo clippy ${toString project.flags} --all-targets -- -D warnings 2>&1 | tee -a $out
  '';
}

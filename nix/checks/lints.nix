# clippy over the workspace, without and with jemalloc; a warning is an error. Unlike lib.clippy it covers all packages, and
# it starts from the dependencies that were built for the tests.
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

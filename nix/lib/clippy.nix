# clippy over a project; a warning is an error.
project:
project.cargoDevelop {
  name = "${project.name}-clippy";
  inherit (project) source;
  artifacts = project.dependencies {
    cargo = project.cargoDevelop;
    kind = "clippy-dependencies";
    # clippy compiles nothing that programs consist of, but it runs the same build scripts.
    from = import ./dependencies.nix project;
    command = "cargo clippy ${toString project.flags} --all-targets";
  };
  command = "cargo clippy ${toString project.flags} --all-targets -- -D warnings 2>&1 | tee $out";
}

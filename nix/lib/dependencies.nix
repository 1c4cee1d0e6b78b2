# The compiled dependencies of a project's programs, which an edit of its code does not rebuild.
project: project.dependencies {
  inherit (project) cargo;
  kind = "dependencies";
  command = "cargo build ${toString project.flags} --bins";
}

# What a project's programs are built on: its dependencies, which an edit of its code leaves as they are.
project: project.dependencies {
  inherit (project) cargo;
  kind = "dependencies";
  command = "cargo build ${toString project.flags} --bins";
}

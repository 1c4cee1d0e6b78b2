# Runs a project's tests; the result is their output. Programs for another architecture run in an emulator.
{ testArgs ? [ ] }:
project:
let
  arguments = builtins.concatStringsSep " " (map (import ../rust/strings.nix).quote testArgs);
in
project.cargo {
  name = "${project.name}-tests";
  inherit (project) source;
  artifacts = project.dependencies {
    inherit (project) cargo;
    kind = "test-dependencies";
    from = import ./dependencies.nix project;
    command = "cargo test ${toString project.flags} --no-run";
  };
  command = "cargo test ${toString project.flags} ${arguments} 2>&1 | tee $out";
}

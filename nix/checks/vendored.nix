# A project whose dependencies, from git repositories, are in a folder that `cargo vendor` made: with the configuration that
# it proposes in the project, and without.
{ derive, lib }:
let
  program = name: src: lib.checkStatic {
    package = lib.buildStatic { inherit name src; vendor = ./vendored/vendor; };
    run = [ ];
  };
in
derive {
  name = "vendored";
  results = [
    (program "vendored-configured" ./vendored)
    (program "vendored" (builtins.path {
      name = "vendored";
      path = ./vendored;
      filter = path: _: baseNameOf path != ".cargo";
    }))
  ];
  script = "cat $results >$out";
}

# A project whose dependencies come from git repositories and are in a folder that `cargo vendor` wrote. It is built with and
# without the configuration that `cargo vendor` proposes.
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

# The tests of Broker, built once. They connect to the server that SERVER_UNDER_TEST names: a variant of Broker or another
# NATS server. They are not optimised, because the server does the work. `build` is the variant that they are built from
# (package.nix).
{ derive, lib, build }:
let
  inherit (build) libraries source selected;
  project = build.projectWith {
    name = "harness";
    profile = "dev";
    cargoArgs = selected;
    env = {
      # Nothing reads debug information, which would be most of each file.
      CARGO_PROFILE_DEV_DEBUG = "none";
      JEMALLOC_OVERRIDE = build.jemalloc;
    };
  };
  dependencies = project.dependencies {
    inherit (project) cargo;
    kind = "dependencies";
    command = "cargo test ${toString project.flags} --no-run";
  };
  files = source [ "tests" "fuzz" ];
  # The folder `test` has the tests that connect to a server, `lib` and `bin` have the unit tests. Each file has the name of
  # its test.
  executables = project.cargo {
    name = "harness";
    source = files;
    artifacts = dependencies;
    command = ''
      cargo test ${toString project.flags} --no-run --message-format json-render-diagnostics >messages
      sed -nE 's/.*"kind":\["([a-z]+)"\].*"profile":\{[^}]*"test":true\}.*"executable":"([^"]*)".*/\1 \2/p' messages |
        while read -r kind file; do
          name=''${file##*/}
          name=''${name%-*}
          install -D "$file" "$out/$kind/''${name//_/-}"
        done
    '';
  };

  # Runs executables as cargo does, in the folder of their package. `tests` are Broker's own. Those in `meanwhile` run in
  # parallel to the others, because they mostly wait.
  run = { name, tests ? [ ], meanwhile ? [ ], libraries ? [ ], arguments ? [ ], environment ? { } }: derive (environment // {
    inherit name executables tests meanwhile libraries arguments files;
    script = ''
      run() {
        echo "     Running $2"
        cd $files/$1
        $executables/$2 $arguments
      }
      (for test in $meanwhile; do run . $test; done) >meanwhile 2>&1 &
      beside=$!
      {
        for test in $tests; do run . $test; done
        for library in $libraries; do run crates/$library lib/$library; done
      } 2>&1 | tee $out
      status=0
      wait $beside || status=$?
      tee -a $out <meanwhile
      exit $status
    '';
  });
  inTestFolder = map (name: "test/${name}");
  # Each file or folder of tests/ except the shared code, so that no test is left out.
  all = builtins.filter (name: name != "common")
    (map (builtins.replaceStrings [ ".rs" ] [ "" ]) (builtins.attrNames (builtins.readDir ../../tests)));
in
{
  # The base for other commands on the same project in the same profile.
  inherit project dependencies libraries;

  units = run { name = "units"; tests = [ "bin/broker" "test/embedded" "test/leftovers" ]; inherit libraries; };
  # All tests against `program`, a variant of Broker.
  of = name: program: run {
    name = "tests-${name}";
    tests = inTestFolder (builtins.filter (name: name != "adversary") all);
    meanwhile = inTestFolder [ "adversary" ];
    environment.SERVER_UNDER_TEST = "broker:${program}/bin/broker";
  };
  # The tests of Broker as a leaf node of Debian's nats-server.
  leaf = name: program: hub: run {
    inherit name;
    tests = inTestFolder [ "leaf" "serve" ];
    # Compares how nats-server reads configuration files.
    libraries = [ "broker-config" ];
    arguments = [ "--include-ignored" ];
    environment = { SERVER_UNDER_TEST = "broker:${program}/bin/broker"; HUB = hub; };
  };
  # Some of the tests, against the server that `server`, the value of SERVER_UNDER_TEST, names. `more` has further
  # environment variables.
  some = name: server: tests: { arguments ? [ ], ... }@more: run {
    inherit name arguments;
    tests = inTestFolder tests;
    environment = { SERVER_UNDER_TEST = server; } // removeAttrs more [ "arguments" ];
  };
}

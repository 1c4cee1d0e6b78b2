# The tests of Broker, built once: they talk to a program that SERVER_UNDER_TEST names, a variant of Broker or another server.
# They are not optimised, because the work that is tested is the program's.
{ derive, lib, native }:
let
  inherit (native) libraries source selected;
  project = native.project {
    name = "harness";
    profile = "dev";
    cargoArgs = selected;
    # Nothing looks at debug information, which is most of such files.
    env.CARGO_PROFILE_DEV_DEBUG = "none";
  };
  dependencies = project.dependencies {
    inherit (project) cargo;
    kind = "dependencies";
    command = "cargo test ${toString project.flags} --no-run";
  };
  files = source [ "tests" "fuzz" ];
  # In `test` those that talk to a program, in `lib` and `bin` the unit tests, each by its name.
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

  # Runs executables as cargo does, in their package's folder; `tests` are those of Broker's own. `meanwhile` has those that
  # run beside the others, for they wait more than they work.
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
  talking = map (name: "test/${name}");
  # Each file or folder of tests/ but what they share, so that none is forgotten.
  all = builtins.filter (name: name != "common")
    (map (builtins.replaceStrings [ ".rs" ] [ "" ]) (builtins.attrNames (builtins.readDir ../../tests)));
in
{
  # What other commands on the same project, in the same profile, go on from.
  inherit project dependencies libraries;

  units = run { name = "units"; tests = [ "bin/broker" "test/embedded" "test/leftovers" ]; inherit libraries; };
  # All tests of the executable file `program`, Broker in one variant or another.
  of = name: program: run {
    name = "tests-${name}";
    tests = talking (builtins.filter (name: name != "adversary") all);
    meanwhile = talking [ "adversary" ];
    environment.SERVER_UNDER_TEST = "broker:${program}/bin/broker";
  };
  # As a leaf node of Debian's nats-server.
  leaf = name: program: hub: run {
    inherit name;
    tests = talking [ "leaf" "serve" ];
    # And what nats-server makes of configuration files.
    libraries = [ "broker-config" ];
    arguments = [ "--include-ignored" ];
    environment = { SERVER_UNDER_TEST = "broker:${program}/bin/broker"; HUB = hub; };
  };
  # Some of the tests, of a server that is started as SERVER_UNDER_TEST says; `more` are further variables.
  some = name: server: tests: { arguments ? [ ], ... }@more: run {
    inherit name arguments;
    tests = talking tests;
    environment = { SERVER_UNDER_TEST = server; } // removeAttrs more [ "arguments" ];
  };
}

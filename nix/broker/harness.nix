# The tests of Broker, built once: they talk to a program that SERVER_UNDER_TEST names, a variant of Broker or another server.
# They are not optimised, because the work that is tested is the program's.
{ derive, lib, native }:
let
  project = native.projectWith {
    name = "harness";
    profile = "dev";
    # Nothing looks at debug information, which is most of such files.
    env.CARGO_PROFILE_DEV_DEBUG = "none";
  };
  dependencies = project.dependencies {
    inherit (project) cargo;
    kind = "dependencies";
    command = "cargo build ${project.flags} --lib --bench allocations";
  };
  source = native.source [ "tests" "fuzz" ];
  # In `test` those that talk to a program, in `lib` and `bin` the unit tests, each by its name.
  executables = project.cargo {
    name = "harness";
    inherit source;
    artifacts = dependencies;
    command = ''
      cargo test ${project.flags} --no-run --message-format json-render-diagnostics >messages
      sed -nE 's/.*"kind":\["([a-z]+)"\].*"profile":\{[^}]*"test":true\}.*"executable":"([^"]*)".*/\1 \2/p' messages |
        while read -r kind file; do
          name=''${file##*/}
          install -D "$file" "$out/$kind/''${name%-*}"
        done
    '';
  };

  # Runs executables as cargo does: in the package's folder, and by lines that are counted.
  run = { name, tests, environment ? { } }: derive (environment // {
    inherit name source executables tests;
    script = ''
      cd $source
      for test in $tests; do
        echo "     Running $test"
        $executables/$test 2>&1
      done | tee $out
    '';
  });
  talking = map (name: "test/${name}");
in
{
  # What other commands on the same project, in the same profile, go on from.
  inherit project dependencies;

  units = run { name = "units"; tests = [ "lib/broker" "bin/broker" ]; };
  # All tests of the executable file `program`, Broker in one variant or another.
  of = name: program: run {
    name = "tests-${name}";
    tests = talking [ "adversary" "clients" "conformance" "info" "leaving" "load" "serve" "soak" ];
    environment.SERVER_UNDER_TEST = "broker:${program}/bin/broker";
  };
  # Some of the tests, of a server that is started as SERVER_UNDER_TEST says; `more` are further variables.
  some = name: server: tests: more: run {
    inherit name;
    tests = talking tests;
    environment = { SERVER_UNDER_TEST = server; } // more;
  };
}

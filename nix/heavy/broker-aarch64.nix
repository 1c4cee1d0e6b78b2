# Broker for aarch64, in an emulator: the tests with real clients and of the server itself talk to it from this machine; its
# own units and its benchmark run in the emulator as well.
{ derive, cc, glibc, adapt, lib, broker }:
let
  name = "broker-static-aarch64";
  variant = broker.variants.${name};
  build = broker.built.${name};
  inherit (build.projectWith { }) emulator;
  # The server as tests start it.
  server = derive {
    name = "broker-in-emulator";
    inherit (build) program;
    inherit emulator;
    script = ''
      mkdir -p $out/bin
      {
        echo "#!$CONFIG_SHELL"
        echo "exec $emulator -0 \"\$0\" $program/bin/broker \"\$@\""
      } >$out/bin/broker
      chmod +x $out/bin/broker
    '';
  };
in
{
  # To the system, a process in the emulator is one of the emulator: `--signal` finds none by its program.
  tests-broker-aarch64 = broker.harness.some "tests-broker-aarch64" "broker:${server}/bin/broker" [ "clients" "conformance" "serve" ] {
    arguments = [ "--skip" "signal_flag::without_a_number" ];
  };
  units-broker-aarch64 = build.units;
  info-broker-aarch64 = import ../checks/info.nix { inherit derive; } name variant { program = server; };
  linkage-broker-aarch64 = import ../checks/linkage.nix { inherit derive cc glibc adapt; } name variant build;
  # Broker brings its allocator and its memory routines by crates, which leave no note of a C library's malloc.
  static-broker-aarch64 = lib.checkStatic { package = build.program; malloc = null; routines = null; run = [ "info" ]; };
  allocations-aarch64 = derive {
    name = "allocations-aarch64";
    inherit (build) program;
    allocations = build.benchmark;
    inherit emulator;
    script = ''
      $emulator $allocations/bin/allocations --test 2>&1 | tee $out
      # jemalloc's pages are as large as any kernel's, or it would end at once on one whose are larger.
      _RJEM_MALLOC_CONF=stats_print:true $emulator $program/bin/broker info 2>&1 | grep -x "Page size: 65536" | tee -a $out
    '';
  };
}

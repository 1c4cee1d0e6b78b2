# Broker for aarch64, in an emulator. The integration tests connect to it from this machine; its unit tests and its benchmark
# run in the emulator.
{ derive, cc, glibc, adapt, lib, broker }:
let
  name = "broker-static-aarch64";
  variant = broker.variants.${name};
  build = broker.built.${name};
  inherit (build.projectWith { }) emulator;
  # The executable that the tests start.
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
  # The executable of a process in the emulator is the emulator, so `--signal` does not find the process by its program.
  tests-broker-aarch64 = broker.harness.some "tests-broker-aarch64" "broker:${server}/bin/broker" [ "clients" "conformance" "serve" ] {
    arguments = [ "--skip" "signal_flag::without_a_pid" ];
  };
  units-broker-aarch64 = build.units;
  info-broker-aarch64 = import ../checks/info.nix { inherit derive; } name variant { program = server; };
  linkage-broker-aarch64 = import ../checks/linkage.nix { inherit derive cc glibc adapt; } name variant build;
  # Broker's crates bring the allocator and the memory routines, and leave no note about the C library's malloc.
  static-broker-aarch64 = lib.checkStatic { package = build.program; malloc = null; routines = null; run = [ "info" ]; };
  allocations-aarch64 = derive {
    name = "allocations-aarch64";
    inherit (build) program;
    allocations = build.benchmark;
    inherit emulator;
    script = ''
      $emulator $allocations/bin/allocations --test 2>&1 | tee $out
      # jemalloc stops on a kernel whose pages are larger than its own, and no kernel has pages over 64 KiB.
      _RJEM_MALLOC_CONF=stats_print:true $emulator $program/bin/broker info 2>&1 | grep -x "Page size: 65536" | tee -a $out
    '';
  };
}

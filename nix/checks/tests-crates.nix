# The tests of the crates that other checks do not test; `excluded` are the packages that Broker consists of. They run on
# glibc. The tests of fast-musl, sized-jemalloc and the survey also run as static musl executables, where the routines and the
# allocator are in use. jemalloc's debug build (`--package sized-jemalloc --features debug`) asserts that it can read /sys,
# which the sandbox lacks: run its tests in `nix develop`. `jemalloc` has its static library for each C library: a program with
# these crates compiles it, as the first one in nix/heavy/ways.sh does.
{ cargo, musl, files, excluded, jemalloc }:
let
  check = name: environment: command: {
    inherit name;
    # Nothing reads debug information.
    value = cargo (files // environment // { inherit name command; CARGO_PROFILE_DEV_DEBUG = "none"; });
  };
  static = profile: rest: check "tests-crates-static-${profile}" { JEMALLOC_OVERRIDE = jemalloc.musl; } (''
    musl="--locked --target ${musl} --profile ${profile}"
    cargo test $musl --package fast-musl --features malloc 2>&1 | tee $out
    cargo test $musl --package sized-jemalloc --features arena_per_cpu,keep_large 2>&1 | tee -a $out
  '' + rest);
in
builtins.listToAttrs [
  (check "tests-crates" { JEMALLOC_OVERRIDE = jemalloc.glibc; } ''
    # Stand-ins for programs, which are scripts here.
    find crates/report/tests crates/survey/tests -type f -exec sed -i "s,#!/bin/sh,#!$CONFIG_SHELL," {} +
    cargo test --locked --workspace ${builtins.concatStringsSep " " (map (package: "--exclude ${package}") excluded)} 2>&1 | tee $out
  '')
  (static "dev" ''
    # Each feature alone.
    cargo test $musl --package sized-jemalloc --features keep_large --lib 2>&1 | tee -a $out
    cargo test $musl --package sized-jemalloc --features arena_per_cpu --lib 2>&1 | tee -a $out
    find crates/survey/tests -type f -exec sed -i "s,#!/bin/sh,#!$CONFIG_SHELL," {} +
    cargo test $musl --package survey 2>&1 | tee -a $out
    cargo test $musl --package survey --features fast 2>&1 | tee -a $out
  '')
  (static "release" "")
]

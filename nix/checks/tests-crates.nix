# The tests of the crates that Broker is not made of (`others` are the packages that it is): on glibc, and, of those that
# Broker is linked with, and of the survey that measures them, as static musl executables as well, where most of them are at
# work. jemalloc's debug build (`--package sized-jemalloc --features debug`) asserts that it could read /sys, which the
# sandbox does not have: that is run in `nix develop`.
{ cargo, musl, workspace, others }:
let
  check = name: command: {
    inherit name;
    value = cargo (workspace // { inherit name command; });
  };
  static = profile: rest: check "tests-crates-static-${profile}" (''
    musl="--locked --target ${musl} --profile ${profile}"
    cargo test $musl --package fast-musl --features malloc 2>&1 | tee $out
    cargo test $musl --package sized-jemalloc --features keep_large 2>&1 | tee -a $out
  '' + rest);
in
builtins.listToAttrs [
  (check "tests-crates" ''
    # Stand-ins for programs, which are scripts here.
    find crates/report/tests crates/survey/tests -type f -exec sed -i "s,#!/bin/sh,#!$CONFIG_SHELL," {} +
    cargo test --locked --workspace ${builtins.concatStringsSep " " (map (package: "--exclude ${package}") others)} 2>&1 | tee $out
  '')
  (static "dev" ''
    find crates/survey/tests -type f -exec sed -i "s,#!/bin/sh,#!$CONFIG_SHELL," {} +
    cargo test $musl --package survey 2>&1 | tee -a $out
    cargo test $musl --package survey --features fast 2>&1 | tee -a $out
  '')
  (static "release" "")
]

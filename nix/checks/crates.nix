# The tests of the workspace's other crates: on glibc, and, of those that Broker is linked with, and of the survey that
# measures them, as static musl executables as well, where most of them are at work. jemalloc's debug build (`--package sized-jemalloc --features debug`) asserts that
# it could read /sys, which the sandbox does not have: that is run in `nix develop`.
{ cargo, musl, workspace }:
cargo (workspace // {
  name = "tests-crates";
  command = ''
    # Stand-ins for programs, which are scripts here.
    find crates/report/tests crates/survey/tests -type f -exec sed -i "s,#!/bin/sh,#!$CONFIG_SHELL," {} +
    cargo test --locked --workspace --exclude broker 2>&1 | tee $out
    musl="--locked --target ${musl}"
    for profile in dev release; do
      cargo test $musl --profile $profile --package fast-musl --features malloc 2>&1 | tee -a $out
      cargo test $musl --profile $profile --package sized-jemalloc --features keep_large 2>&1 | tee -a $out
    done
    cargo test $musl --package survey 2>&1 | tee -a $out
    cargo test $musl --package survey --features fast 2>&1 | tee -a $out
  '';
})

# The tests of the workspace's other crates: on glibc, and, of those that Broker is linked with, as static musl executables
# as well, where most of them are at work. jemalloc's debug build (`--package sized-jemalloc --features debug`) asserts that
# it could read /sys, which the sandbox does not have: that is run in `nix develop`.
{ cargo, workspace }:
cargo (workspace // {
  name = "tests-crates";
  command = ''
    # Stand-ins for programs, which are scripts here.
    find crates/report/tests -type f -exec sed -i "s,#!/bin/sh,#!$CONFIG_SHELL," {} +
    cargo test --locked --workspace --exclude broker 2>&1 | tee $out
    musl="--locked --target x86_64-unknown-linux-musl"
    cargo test $musl --package fast-musl 2>&1 | tee -a $out
    cargo test $musl --release --package fast-musl 2>&1 | tee -a $out
    cargo test $musl --package sized-jemalloc 2>&1 | tee -a $out
    cargo test $musl --release --package sized-jemalloc 2>&1 | tee -a $out
  '';
})

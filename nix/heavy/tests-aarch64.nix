# The tests of fast-musl and sized-jemalloc as static programs for aarch64, in an emulator.
#
# The emulator does not reveal errors in the order of memory accesses, and has no vDSO with getrandom. It also lacks seccomp,
# ptrace and limits on the address space; tests that need them are left out.
{ cargo, emulator, files, jemalloc }:
cargo (files // {
  name = "tests-aarch64";
  target = "aarch64-unknown-linux-musl";
  JEMALLOC_OVERRIDE = jemalloc;
  FAST_MUSL_TEST_EMULATOR = "${emulator}/bin/qemu-aarch64";
  command = ''
    aarch64="--locked --target $target"
    cargo test $aarch64 --package fast-musl --features malloc --test memory --test strings --test sort --test malloc -- \
      --skip without_address_space_it_says_so_and_goes_on 2>&1 | tee $out
    # The rest of these tests is about the vDSO.
    cargo test $aarch64 --package fast-musl --features malloc --test random -- \
      answers:: lookup:: cancellation::a_pending_cancellation_is_acted_on 2>&1 | tee -a $out
    # The test that is left out starts itself; tests/model.rs takes minutes.
    cargo test $aarch64 --package sized-jemalloc --features arena_per_cpu,keep_large --lib --test decay -- \
      --skip with_large_classes_and_without 2>&1 | tee -a $out
  '';
})

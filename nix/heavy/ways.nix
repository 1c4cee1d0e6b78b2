# A project outside the workspace adds fast-musl and sized-jemalloc with one line each. Each line of ways/table is a way to
# build it: the program runs, and its memory routines, getrandom and malloc come from where the table says.
{ cargo, cc, linkers, aarch64, emulator, files, jemalloc }:
cargo (files // {
  name = "ways";
  inherit cc linkers aarch64 emulator;
  target = "aarch64-unknown-linux-musl";
  X86_64_UNKNOWN_LINUX_GNU_JEMALLOC_OVERRIDE = jemalloc.glibc;
  AARCH64_UNKNOWN_LINUX_MUSL_JEMALLOC_OVERRIDE = jemalloc.aarch64;
  stranger = ./ways;
  command = "source ${./outside.sh}; source ${./ways.sh}";
})

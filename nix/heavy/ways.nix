# A project outside the workspace adds fast-musl and sized-jemalloc in a line each. In every way of building it
# (ways/table), it runs, and its memory routines, getrandom and malloc are whose they are meant to be.
{ cargo, cc, linkers, aarch64, emulator, workspace }:
cargo (workspace // {
  name = "ways";
  inherit cc linkers aarch64 emulator;
  target = "aarch64-unknown-linux-musl";
  stranger = ./ways;
  command = "source ${./ways.sh}";
})

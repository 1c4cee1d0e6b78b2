# Broker compiles where static linking is no goal: its library and program, without a C compiler for the target.
{ cargo, workspace }:
cargo (workspace // {
  name = "portable";
  command = ''
    for target in x86_64-pc-windows-gnu aarch64-apple-darwin; do
      cargo check --locked --target $target 2>&1 | tee -a $out
    done
  '';
})

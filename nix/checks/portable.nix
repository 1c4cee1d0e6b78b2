# Broker compiles where static linking is no goal: its library and program, without a C compiler for the target, and
# therefore without TLS, whose cryptography has C in it.
{ cargo, workspace }:
cargo (workspace // {
  name = "portable";
  command = ''
    for target in x86_64-pc-windows-gnu aarch64-apple-darwin; do
      cargo check --locked --no-default-features --target $target 2>&1 | tee -a $out
    done
  '';
})

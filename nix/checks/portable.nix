# Broker's library and program compile for systems where static linking is no goal. There is no C compiler for these
# targets, so this is without TLS, whose cryptography contains C.
{ cargo, files }:
cargo (files // {
  name = "portable";
  command = ''
    for target in x86_64-pc-windows-gnu aarch64-apple-darwin; do
      cargo check --locked --no-default-features --target $target 2>&1 | tee -a $out
    done
  '';
})

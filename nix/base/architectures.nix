# The build machines by Nix's names for them, and what differs between them.
{
  x86_64-linux = {
    cpu = "x86_64";
    # The locked Debian packages.
    lock = ./debian/debian.json;
    # glibc's dynamic linker.
    interpreter = "ld-linux-x86-64.so.2";
    # The default target of Debian's clang.
    clang = "x86_64-pc-linux-gnu";
    # The target triples of the machine, by C library.
    rust = { glibc = "x86_64-unknown-linux-gnu"; musl = "x86_64-unknown-linux-musl"; };
    # The suffix of the flake's inputs with Rust components that run on the machine.
    inputs = "";
    # The other targets of static programs that this machine builds, with the input of the standard library for each.
    foreign = { aarch64-unknown-linux-musl = "rust-std-musl-aarch64"; };
  };
  aarch64-linux = {
    cpu = "aarch64";
    lock = ./debian/arm64/debian.json;
    interpreter = "ld-linux-aarch64.so.1";
    clang = "aarch64-unknown-linux-gnu";
    rust = { glibc = "aarch64-unknown-linux-gnu"; musl = "aarch64-unknown-linux-musl"; };
    inputs = "-aarch64";
    foreign = { };
  };
}

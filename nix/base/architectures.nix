# The machines that build, by Nix's names of them, and what differs between them.
{
  x86_64-linux = {
    cpu = "x86_64";
    # The locked Debian packages.
    lock = ./debian/debian.json;
    # glibc's dynamic linker.
    interpreter = "ld-linux-x86-64.so.2";
    # What Debian's clang compiles for, unless it is told.
    clang = "x86_64-pc-linux-gnu";
    # Rust's names of the machine with each C library.
    rust = { glibc = "x86_64-unknown-linux-gnu"; musl = "x86_64-unknown-linux-musl"; };
    # How the flake's inputs of what runs on the machine end.
    inputs = "";
    # What else static programs are built for here, and the input with the standard library for it.
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

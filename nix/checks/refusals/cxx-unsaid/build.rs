//! As the crate cc does it: the compiler for C++ that the environment names.
fn main() {
    let compiler = std::env::var("CXX_x86_64_unknown_linux_musl").expect("it is named");
    let status = std::process::Command::new(compiler)
        .arg("--version")
        .status()
        .expect("it starts");
    assert!(status.success(), "it compiles nothing");
}

//! A program for the machine that builds, built and run by this script: it makes a part of the source.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/table.c");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let host = std::env::var("HOST").expect("cargo sets HOST");
    let program = out.join("table");
    let built = cc::Build::new()
        .target(&host)
        .cargo_metadata(false)
        .get_compiler()
        .to_command()
        .args(["src/table.c", "-o"])
        .arg(&program)
        .status()
        .expect("start the C compiler");
    assert!(built.success());
    let table = Command::new(&program).output().expect("run what was built");
    assert!(table.status.success());
    std::fs::write(out.join("table.rs"), table.stdout).expect("write the table");
}

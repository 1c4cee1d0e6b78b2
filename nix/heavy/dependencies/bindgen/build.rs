//! Bindings of a header, made by libclang when the program is built.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=src/counter.h");
    println!("cargo::rerun-if-changed=src/counter.c");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    bindgen::Builder::default()
        .header("src/counter.h")
        .generate()
        .expect("make the bindings")
        .write_to_file(out.join("bindings.rs"))
        .expect("write the bindings");
    cc::Build::new().file("src/counter.c").compile("counter");
}

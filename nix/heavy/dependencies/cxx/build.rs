//! C++ behind the bridge of the crate cxx.

fn main() {
    println!("cargo::rerun-if-changed=src/words.cc");
    println!("cargo::rerun-if-changed=src/words.h");
    cxx_build::bridge("src/main.rs")
        .file("src/words.cc")
        .std("c++17")
        .compile("words");
}

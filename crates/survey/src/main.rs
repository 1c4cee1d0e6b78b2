//! Measures each part of the C library that Rust's std and C code use, for musl against glibc.
//!
//! The same program is built three times: for glibc, for stock musl, and for musl with fast-musl:
//!
//! ```text
//! cargo build --release -p survey --target x86_64-unknown-linux-gnu
//! cargo build --release -p survey --target x86_64-unknown-linux-musl
//! cargo build --release -p survey --target x86_64-unknown-linux-musl --features fast --target-dir
//! target/fast
//! ```
//!
//! The third needs a C compiler for musl, because jemalloc is written in C. One build alone prints
//! its own times, one row per line, in nanoseconds per call. With the other two as arguments, in
//! any order, it runs all three in turns for each row, and prints a table sorted by the remaining
//! penalty:
//!
//! ```text
//! cd target && x86_64-unknown-linux-gnu/release/survey \
//!     x86_64-unknown-linux-musl/release/survey fast/x86_64-unknown-linux-musl/release/survey
//! ```
//!
//! Linux only.

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    survey::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("survey: it compares Linux C libraries; run it on Linux");
    ExitCode::FAILURE
}

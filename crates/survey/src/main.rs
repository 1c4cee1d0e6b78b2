//! How much slower than glibc's each part of musl is that Rust's std and C code lean on, measured.
//!
//! The same program is built three times, for glibc, for stock musl, and for musl with fast-musl:
//!
//! ```text
//! cargo build --release -p survey --target x86_64-unknown-linux-gnu
//! cargo build --release -p survey --target x86_64-unknown-linux-musl
//! cargo build --release -p survey --target x86_64-unknown-linux-musl --features fast --target-dir target/fast
//! ```
//!
//! The third needs a C compiler for musl, as jemalloc is C. A build alone prints its own times, a row
//! a line, in nanoseconds per call. Given the other two, in any order, it lets all three take turns at
//! each row, and prints a table sorted by what is left of the penalty:
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
    eprintln!("survey: it compares C libraries of Linux; run it there");
    ExitCode::FAILURE
}

//! Sets `cfg(replaced)` if the crate replaces musl's routines: in an optimised build for Linux with
//! musl.
//!
//! musl's `posix_spawn`, behind `std::process::Command`, runs its child on a stack of about five
//! kilobytes and calls `memcpy` there. Unoptimised, the routines of this crate need more than that,
//! so they are left out, and the program keeps musl's.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(replaced)");
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value == wanted);
    let musl = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "musl");
    if musl && !is("OPT_LEVEL", "0") {
        println!("cargo::rustc-cfg=replaced");
    }
}

//! Tells the crate whether it is optimised (`cfg(optimised)`).
//!
//! musl's `posix_spawn`, behind `std::process::Command`, runs its child on a stack of some five
//! kilobytes and calls `memcpy` there. Unoptimised, the routines of this crate need more than that,
//! so they are left out, and the program has musl's.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(optimised)");
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0") {
        println!("cargo::rustc-cfg=optimised");
    }
}

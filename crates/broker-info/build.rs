//! Passes the target triple to the crate: cargo sets it for build scripts only.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    let Ok(target) = std::env::var("TARGET") else {
        println!("cargo::error=cargo did not set TARGET for the build script");
        return ExitCode::FAILURE;
    };
    println!("cargo::rustc-env=BROKER_TARGET={target}");
    ExitCode::SUCCESS
}

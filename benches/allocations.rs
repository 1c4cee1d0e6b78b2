//! One benchmark per workload, with the workload's name.
//!
//! Criterion measures only with `--bench`, which cargo passes, and otherwise
//! runs everything once. Someone who starts the installed executable wants to
//! measure, so it then restarts itself with that argument: Criterion reads its
//! arguments only from the process.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use broker_workloads::ALL;
use criterion::Criterion;

#[cfg(feature = "reference-floor")]
use floor::Floor as Measured;
#[cfg(feature = "reference-mimalloc")]
use mimalloc::MiMalloc as Measured;
// The allocator of the build, unless a reference is measured instead.
#[cfg(not(any(feature = "reference-floor", feature = "reference-mimalloc")))]
use broker_runtime::Chosen as Measured;

#[global_allocator]
static GLOBAL: Measured = Measured;

/// Arguments that already select a mode.
const MODES: [&str; 5] = ["--bench", "--test", "--list", "--help", "-h"];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    // cargo sets this variable for the processes that it starts.
    let by_cargo = env::var_os("CARGO").is_some();
    let chosen = arguments
        .iter()
        .any(|argument| MODES.iter().any(|mode| argument == mode));
    if !by_cargo && !chosen {
        return measure(arguments);
    }
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    for workload in ALL {
        criterion.bench_function(workload.name, |bencher| {
            bencher.iter(|| black_box(black_box(workload.run)()));
        });
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

fn measure(arguments: Vec<OsString>) -> ExitCode {
    let started = env::current_exe().and_then(|own| {
        let mut command = Command::new(own);
        // It comes first: after a "--" it would be a filter.
        command.arg("--bench").args(arguments);
        become_it(command)
    });
    started.unwrap_or_else(|error| {
        eprintln!("allocations: cannot start itself with --bench: {error}");
        ExitCode::FAILURE
    })
}

#[cfg(unix)]
fn become_it(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

//! The `broker` executable: the command line, with the allocator that this build has.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use broker_runtime::Chosen;

#[global_allocator]
static GLOBAL: Chosen = Chosen;

fn main() -> ExitCode {
    broker_cli::run(std::env::args_os())
}

//! The `broker` executable.

#![forbid(unsafe_code)]

mod commands;

use std::process::ExitCode;

use broker_runtime::Chosen;
use clap::{Parser, Subcommand};
use commands::{bench, info, serve};

#[global_allocator]
static GLOBAL: Chosen = Chosen;

/// A message broker.
#[derive(Parser)]
#[command(version, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve clients of NATS
    Serve(Box<serve::Arguments>),
    /// Put a server of NATS under load, and tell what it stands
    Bench(Box<bench::Arguments>),
    /// Tell what this build is made of: C library, linking, allocator, machine
    Info(info::Arguments),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
    }
}

//! The command line of Broker: arguments in, exit code out.
//!
//! It is a crate of its own so that it can be compiled for size, and the rest for speed.

#![forbid(unsafe_code)]

mod bench;
mod info;
mod serve;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A message broker.
#[derive(Parser)]
#[command(
    name = "broker",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
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

/// Does what the arguments say, of which the first is the name of the program. It ends the
/// process if they are wrong, or ask for help.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match Cli::parse_from(arguments.map(long)).command {
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
    }
}

/// An argument as clap knows it: `-sl` of nats-server is one flag, not two letters.
fn long(argument: OsString) -> OsString {
    match argument.to_str() {
        Some("-sl") => "--sl".into(),
        Some(text) if text.starts_with("-sl=") => format!("-{text}").into(),
        _ => argument,
    }
}

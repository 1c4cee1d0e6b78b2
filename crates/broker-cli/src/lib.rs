//! The command line of Broker: arguments in, exit code out.
//!
//! It is a crate of its own so that it can be compiled for size, and the rest for speed.

#![forbid(unsafe_code)]

mod bench;
mod info;
mod nats_server;
mod serve;
#[cfg(test)]
mod texts;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::iter;
use std::path::Path;
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

/// The exit code for arguments that are wrong, as clap has it.
const WRONG_USAGE: u8 = 2;

#[derive(Subcommand)]
enum Command {
    /// Serve clients of NATS
    Serve(Box<serve::Arguments>),
    /// Put a server of NATS under load, and tell what it stands
    Bench(Box<bench::Arguments>),
    /// Tell what this build is made of: C library, linking, allocator, machine
    Info(info::Arguments),
}

/// Runs the command that the arguments name, of which the first is the name of the program. It
/// ends the process if they are wrong, or ask for help.
///
/// Under the name `nats-server` the arguments are those of nats-server.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = arguments.next().unwrap_or_else(|| "broker".into());
    let arguments = if Path::new(&name).file_name() == Some(OsStr::new(nats_server::NAME)) {
        match nats_server::arguments(arguments, |name| env::var_os(name).is_some()) {
            Ok(arguments) => arguments,
            Err(error) => {
                let _ = writeln!(io::stderr(), "{}: {error}", nats_server::NAME);
                return ExitCode::from(WRONG_USAGE);
            }
        }
    } else {
        iter::once(name).chain(arguments.map(long)).collect()
    };
    match Cli::parse_from(arguments).command {
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

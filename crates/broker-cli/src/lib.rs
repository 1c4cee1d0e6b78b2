//! The command line of Broker: arguments in, exit code out.
//!
//! It is a crate of its own because it is compiled for size, and the server for speed.

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

use broker_protocol::PROTOCOL_VERSION;
use clap::{Parser, Subcommand};
use nats_server::Asked;

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

/// The exit code for wrong arguments, which is that of clap.
const WRONG_USAGE: u8 = 2;

#[derive(Subcommand)]
enum Command {
    /// Run the server for NATS clients
    Serve(Box<serve::Arguments>),
    /// Measure the throughput and latency of a NATS server
    Bench(Box<bench::Arguments>),
    /// Print the C library, linking and allocator of this build, and the machine
    Info(info::Arguments),
}

/// Runs the command that `arguments` name; the first argument is the name of the program. Wrong
/// arguments and `--help` end the process.
///
/// Under the name `nats-server`, the arguments are those of nats-server.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = arguments.next().unwrap_or_else(|| "broker".into());
    let arguments = if Path::new(&name).file_name() == Some(OsStr::new(nats_server::NAME)) {
        match nats_server::arguments(arguments, |name| env::var_os(name).is_some()) {
            Ok(Asked::Serve(arguments)) => arguments,
            Ok(Asked::Version) => {
                let (name, version) = (nats_server::NAME, env!("CARGO_PKG_VERSION"));
                let text = format!("{name}: v{PROTOCOL_VERSION} (Broker {version})");
                // A reader that is gone has seen enough.
                let _ = writeln!(io::stdout(), "{text}");
                return ExitCode::SUCCESS;
            }
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

/// Rewrites an argument for clap: nats-server's `-sl` is one flag, not two letters.
fn long(argument: OsString) -> OsString {
    match argument.to_str() {
        Some("-sl") => "--sl".into(),
        Some(text) if text.starts_with("-sl=") => format!("-{text}").into(),
        _ => argument,
    }
}

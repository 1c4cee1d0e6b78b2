//! The `broker` executable.

#![forbid(unsafe_code)]

mod commands;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use broker::allocator::Chosen;
use broker::info::{GlobalAllocator, Info};
use clap::{Parser, Subcommand};

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
    /// Tell what this build is made of: C library, linking, allocator, machine
    Info {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Put a NATS server under load, and tell what it stands
    Bench(Box<commands::bench::Arguments>),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Bench(arguments) = &cli.command {
        return commands::bench::run(arguments);
    }
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as in `broker info | head -1`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error gone too, the exit code is all that is left.
            let _ = writeln!(
                io::stderr(),
                "broker: cannot write to standard output: {error}"
            );
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> io::Result<()> {
    match cli.command {
        Command::Info { json } => {
            let info = Info::collect(GlobalAllocator::CHOSEN);
            let text = if json {
                serde_json::to_string_pretty(&info)? + "\n"
            } else {
                info.to_string()
            };
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        }
        Command::Bench(_) => Ok(()),
    }
}

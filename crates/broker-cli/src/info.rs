//! `broker info`.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use broker_info::Info;
use broker_runtime::GlobalAllocator;
use clap::Args;

/// Arguments of `broker info`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match print(arguments) {
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

fn print(arguments: &Arguments) -> io::Result<()> {
    let info = Info::collect(GlobalAllocator::CHOSEN);
    let text = if arguments.json {
        serde_json::to_string_pretty(&info)? + "\n"
    } else {
        info.to_string()
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

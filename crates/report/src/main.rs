//! The `report` executable.

#![forbid(unsafe_code)]

mod arguments;
mod progress;
mod run;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Some(launched) = report::launcher::launch(std::env::args_os().skip(1)) {
        return match launched {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    match run::run(&arguments::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

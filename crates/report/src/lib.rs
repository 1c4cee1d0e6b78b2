//! The parts of the program `report`.
//!
//! Data flows one way: a [`session`] measures the builds of a [`matrix`] and fills the cells of a [`section`]. Each of
//! the [`sections`] is data: rows, columns, measures, and how to measure a cell. The same code writes all of them as
//! Markdown ([`markdown`]), JSON ([`report`]) and SVG ([`chart`]) into a folder ([`output`]). Linux only, because
//! resource usage is read from `/proc`.

#![forbid(unsafe_code)]

mod arguments;
mod chart;
mod child;
mod date;
mod format;
mod interrupt;
mod launcher;
mod load;
mod markdown;
mod matrix;
mod output;
mod progress;
mod report;
mod run;
#[cfg(test)]
mod sample;
mod section;
mod sections;
mod session;
mod statistics;
mod strace;
mod system;
mod text;

use std::process::ExitCode;

use clap::Parser;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(launched) = launcher::launch(std::env::args_os().skip(1)) {
        return launched;
    }
    match run::run(&arguments::Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

//! The parts of the program `survey`; see `main.rs`.
//!
//! [`rows`] defines what is timed and [`measure`] how; [`turns`] runs builds in turns, [`compare`]
//! compares their times, and [`table`] prints them, with the [`reasons`] for slow rows.

#![cfg(target_os = "linux")]

pub mod arguments;
pub mod compare;
pub mod kind;
pub mod measure;
pub mod reasons;
pub mod rows;
pub mod table;
pub mod turns;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, RowError};
use measure::Effort;
use rows::Row;
use turns::TurnsError;

#[cfg(all(feature = "fast", target_env = "musl"))]
use fast_musl as _;

#[cfg(all(feature = "fast", target_env = "musl"))]
#[global_allocator]
static GLOBAL: sized_jemalloc::SizedJemalloc = sized_jemalloc::SizedJemalloc;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Rows(#[from] RowError),
    #[error("{row}: {source}")]
    Row { row: String, source: io::Error },
    #[error(transparent)]
    Turns(#[from] TurnsError),
    #[error("cannot write the results as JSON: {0}; report this as a bug")]
    Json(#[from] serde_json::Error),
    #[error("cannot write the results: {0}; check standard output")]
    Write(#[from] io::Error),
}

impl Error {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Rows(_) => 2,
            Self::Turns(error) => error.exit_code(),
            _ => 1,
        }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // First, because a row measures this path.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == rows::RETURN_AT_ONCE)
    {
        return ExitCode::SUCCESS;
    }
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("survey: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let rows = arguments.select(rows::all())?;
    let effort = arguments.effort();
    let mut out = io::stdout().lock();
    if arguments.list {
        let names = rows.into_iter().map(|row| row.name).collect();
        let listed = kind::Listed {
            build: kind::Build::this(),
            rows: names,
        };
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string(&listed)?)?;
        } else {
            writeln!(out, "{}", listed.rows.join("\n"))?;
        }
    } else if arguments.builds.is_empty() {
        let mut times = Vec::new();
        in_company();
        for row in rows {
            let nanoseconds = time(&row, effort)?;
            if !arguments.json {
                writeln!(out, "{:48} {nanoseconds:14.2}", row.name)?;
            }
            times.push(kind::Timed {
                name: row.name,
                nanoseconds,
            });
        }
        if arguments.json {
            let measured = kind::Measured {
                build: kind::Build::this(),
                rows: times,
            };
            writeln!(out, "{}", serde_json::to_string(&measured)?)?;
        }
    } else {
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        let others = &arguments.builds;
        let rounds = arguments.first_round..arguments.first_round + arguments.rounds();
        let comparison = turns::run(others, &names, rounds, arguments.quick)?;
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&comparison)?)?;
        } else {
            write!(out, "{}", comparison.to_markdown())?;
        }
    }
    out.flush()?;
    Ok(())
}

fn time(row: &Row, effort: Effort) -> Result<f64, Error> {
    row.measure(effort).map_err(|source| Error::Row {
        row: row.name.clone(),
        source,
    })
}

/// Starts a thread that does nothing. Both C libraries skip locks in a single-threaded process, and
/// few Rust programs stay single-threaded.
fn in_company() {
    std::thread::spawn(|| {
        loop {
            std::thread::park();
        }
    });
}

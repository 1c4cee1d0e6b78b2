//! The survey of the C library: builds of a program that times its parts.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;
use survey::compare::Comparison;

use crate::child::{self, RunError};
use crate::interrupt::{Interrupt, Signal};

/// How long a round may take at most; it takes half a minute.
const ROUND_LIMIT: Duration = Duration::from_mins(5);

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LibraryReport {
    /// How the builds compare.
    pub comparison: Option<Comparison>,
    /// Why that is not known.
    pub failure: Option<String>,
    /// The file of its plot, if it has one.
    pub plot: Option<String>,
}

/// Has the first build compare itself with the others.
///
/// # Errors
///
/// When a signal ends it early.
pub fn run(
    builds: &[PathBuf],
    rounds: u32,
    quick: bool,
    interrupt: &Interrupt,
) -> Result<LibraryReport, Signal> {
    let Some((first, others)) = builds.split_first() else {
        return Ok(LibraryReport::default());
    };
    let mut command = Command::new(first);
    command
        .arg("--json")
        .arg("--rounds")
        .arg(rounds.to_string());
    command.args(quick.then_some("--quick")).args(others);
    let compared =
        child::run_within(ROUND_LIMIT * rounds, &mut command, interrupt).and_then(|ended| {
            serde_json::from_str(&ended.stdout).map_err(|error| {
                RunError::NoResult(format!("the survey printed no results: {error}"))
            })
        });
    match compared {
        Ok(comparison) => Ok(LibraryReport {
            comparison: Some(comparison),
            ..LibraryReport::default()
        }),
        Err(RunError::Interrupted(signal)) => Err(signal),
        Err(error) => Ok(LibraryReport {
            failure: Some(error.to_string()),
            ..LibraryReport::default()
        }),
    }
}

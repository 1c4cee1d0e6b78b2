//! An executable that holds the benchmarks, run in its several ways.
//!
//! Every run has a folder of its own for what Criterion leaves, so that none
//! reads the results of another.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::child::{self, Ended, RunError};
use crate::criterion::{self, Estimates, Sampling};
use crate::groups;
use crate::interrupt::Interrupt;

/// An executable, and what it is started by.
#[derive(Debug, Clone)]
pub struct Executable<'a> {
    path: &'a Path,
    /// A program and its arguments that runs it, such as strace.
    wrapper: Vec<OsString>,
    interrupt: &'a Interrupt,
}

/// A benchmark that was measured.
#[derive(Debug)]
pub struct Measured {
    /// Its times.
    pub estimates: Estimates,
    /// Iterations of all samples together.
    pub iterations: f64,
    /// The process.
    pub ended: Ended,
}

impl<'a> Executable<'a> {
    /// The executable by itself.
    #[must_use]
    pub fn new(path: &'a Path, interrupt: &'a Interrupt) -> Self {
        Self {
            path,
            wrapper: Vec::new(),
            interrupt,
        }
    }

    /// The same, run by a program with these arguments before its own.
    #[must_use]
    pub fn under(&self, wrapper: Vec<OsString>) -> Self {
        Self {
            wrapper,
            ..self.clone()
        }
    }

    /// The names of its benchmarks.
    ///
    /// # Errors
    ///
    /// When it does not run, or has none.
    pub fn list(&self) -> Result<Vec<String>, RunError> {
        let ended = self.run(&folder()?, ["--list".into()])?;
        let names = groups::parse(&ended.stdout);
        if names.is_empty() {
            return Err(RunError::NoResult("it lists no benchmarks".to_owned()));
        }
        Ok(names)
    }

    /// Measures one benchmark.
    ///
    /// # Errors
    ///
    /// When it does not run or leaves no result.
    pub fn measure(&self, group: &str, sampling: &Sampling) -> Result<Measured, RunError> {
        let home = folder()?;
        let ended = self.run(&home, sampling.arguments(group))?;
        let nothing = |error: criterion::ResultError| RunError::NoResult(error.to_string());
        Ok(Measured {
            estimates: Estimates::read(home.path(), group).map_err(nothing)?,
            iterations: criterion::iterations(home.path(), group).map_err(nothing)?,
            ended,
        })
    }

    /// Runs one benchmark once, without Criterion's own work around it.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn once(&self, group: &str) -> Result<Ended, RunError> {
        let arguments = std::iter::once("--test".into()).chain(criterion::only(group));
        self.run(&folder()?, arguments)
    }

    /// Runs no benchmark: all that a process does besides.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn nothing(&self) -> Result<Ended, RunError> {
        self.once("no benchmark has this name")
    }

    fn run(
        &self,
        home: &TempDir,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Ended, RunError> {
        let mut command = match self.wrapper.split_first() {
            Some((program, before)) => {
                let mut command = Command::new(program);
                command.args(before).arg(self.path);
                command
            }
            None => Command::new(self.path),
        };
        command
            .args(arguments)
            // Without it Criterion asks cargo for a folder, in a process that
            // would count as the benchmark's.
            .env("CRITERION_HOME", home.path())
            .env_remove("CARGO_CRITERION_PORT")
            .current_dir(home.path());
        child::run(&mut command, self.interrupt)
    }
}

fn folder() -> Result<TempDir, RunError> {
    tempfile::Builder::new()
        .prefix("report-")
        .tempdir()
        .map_err(RunError::Watch)
}

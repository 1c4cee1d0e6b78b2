//! A benchmark executable and the ways to run it.
//!
//! Every run has its own folder for Criterion's output, so no run reads the
//! results of another.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::criterion::{self, Sampling};
use crate::child::{self, Ended, RunError};
use crate::interrupt::Interrupt;
use crate::matrix::{ChoiceError, choose};

/// A benchmark executable and its wrapper.
#[derive(Debug, Clone)]
pub(crate) struct Executable<'a> {
    path: &'a Path,
    /// A program and its arguments that run the executable, such as strace.
    wrapper: Vec<OsString>,
    interrupt: &'a Interrupt,
}

/// The result of a benchmark.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Median and median absolute deviation, in nanoseconds.
    pub(crate) estimates: (f64, f64),
    /// Iterations of all samples together.
    pub(crate) iterations: f64,
    pub(crate) ended: Ended,
}

impl<'a> Executable<'a> {
    pub(crate) fn new(path: &'a Path, interrupt: &'a Interrupt) -> Self {
        Self {
            path,
            wrapper: Vec::new(),
            interrupt,
        }
    }

    /// Returns the same executable, run by a wrapper with these arguments.
    pub(crate) fn under(&self, wrapper: Vec<OsString>) -> Self {
        Self {
            wrapper,
            ..self.clone()
        }
    }

    pub(crate) fn list(&self) -> Result<Vec<String>, RunError> {
        let ended = self.run(&folder()?, ["--list".into()])?;
        let names = names_in(&ended.stdout);
        if names.is_empty() {
            return Err(RunError::NoResult("it lists no benchmarks".to_owned()));
        }
        Ok(names)
    }

    /// Measures one benchmark.
    pub(crate) fn measure(&self, group: &str, sampling: &Sampling) -> Result<Measured, RunError> {
        let home = folder()?;
        let ended = self.run(&home, sampling.arguments(group))?;
        Ok(Measured {
            estimates: criterion::estimates(home.path(), group)?,
            iterations: criterion::iterations(home.path(), group)?,
            ended,
        })
    }

    /// Runs one benchmark once, without Criterion's measurement.
    pub(crate) fn once(&self, group: &str) -> Result<Ended, RunError> {
        let arguments = std::iter::once("--test".into()).chain(criterion::only(group));
        self.run(&folder()?, arguments)
    }

    /// Runs no benchmark, to measure what a process does besides.
    pub(crate) fn nothing(&self) -> Result<Ended, RunError> {
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
            // Without this, Criterion asks cargo for a folder, in a process that
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

/// Returns the names in the output of `--list`.
fn names_in(listing: &str) -> Vec<String> {
    let names = listing
        .lines()
        .filter_map(|line| line.trim_end().strip_suffix(": benchmark"));
    names.map(str::to_owned).collect()
}

/// Returns the groups with these names in the executable's order, or all if no
/// names are given.
pub(crate) fn select(valid: &[String], names: &[String]) -> Result<Vec<String>, ChoiceError> {
    let commas = " (names may contain commas, so give --groups once for each)";
    choose("group", valid, |name| name, names, commas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_the_listing() {
        let listing = "single thread: benchmark\n\nsingle thread, OS entropy: benchmark\n\
                       a: b: benchmark\r\nsome test: test\n";
        assert_eq!(
            names_in(listing),
            ["single thread", "single thread, OS entropy", "a: b"]
        );
    }

    #[test]
    fn a_comma_between_names_is_explained() {
        let valid = ["single thread", "churn"].map(str::to_owned);
        let error = select(&valid, &["single thread,churn".to_owned()]).expect_err("unknown");
        let text = error.to_string();
        assert!(text.contains("valid are: single thread; churn"), "{text}");
        assert!(text.contains("--groups once for each"), "{text}");
        let error = select(&valid, &["x".to_owned()]).expect_err("unknown");
        assert!(!error.to_string().contains("--groups"), "{error}");
    }
}

//! Resources that one iteration of a benchmark uses besides time.
//!
//! A process does more than iterate: it is loaded, parses its arguments, writes
//! results. So the usage of an iteration is computed from two runs that differ
//! only in the number of iterations.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::benchmarks::Executable;
use super::criterion::Sampling;
use crate::child::RunError;
use crate::launcher;
use crate::statistics::{Summary, as_number};
use crate::strace::{self, Counts};

/// Samples of the two runs.
const FEW: u32 = 10;
const MANY: u32 = 40;
/// Iterations of both runs together, each with one warm-up iteration.
const BOTH: u32 = FEW + MANY + 2;

/// Number of runs for the median of peak memory.
const MEMORY_RUNS: u32 = 3;

/// Returns the peak memory in bytes of a process that runs a benchmark once, and
/// whether that is exact rather than an upper bound. `own` is this executable,
/// which is the process's launcher.
pub(crate) fn peak_memory(
    executable: &Executable<'_>,
    own: &Path,
    group: &str,
) -> Result<(f64, bool), RunError> {
    let file = tempfile::NamedTempFile::new().map_err(RunError::Watch)?;
    let launched = executable.under(launcher::wrapper(own, file.path()));
    let mut exact = true;
    let mut peaks = Vec::new();
    for _ in 0..MEMORY_RUNS {
        launched.once(group)?;
        let used = launcher::read(file.path())?;
        peaks.push(as_number(used.peak_rss));
        exact &= used.exact;
    }
    let bytes = Summary::of(peaks).map_or(0.0, |summary| summary.median);
    Ok((bytes, exact))
}

/// Returns the minor page faults of one iteration.
pub(crate) fn page_faults(executable: &Executable<'_>, group: &str) -> Result<f64, RunError> {
    let run = |samples| {
        let measured = executable.measure(group, &Sampling::counted(samples))?;
        let faults = measured.ended.minor_faults.map(as_number);
        let unknown = || RunError::NoResult("the kernel does not report them".to_owned());
        Ok((faults.ok_or_else(unknown)?, measured.iterations))
    };
    let (few, many) = (run(FEW)?, run(MANY)?);
    Ok((many.0 - few.0) / more_iterations(few.1, many.1)?)
}

/// Returns the system calls of one iteration, and whether they are those of a
/// process's first iteration, because more would take too long under strace.
/// `patience` is the time limit for the precise method.
pub(crate) fn system_calls(
    executable: &Executable<'_>,
    strace: &Path,
    group: &str,
    patience: Duration,
) -> Result<(BTreeMap<String, f64>, bool), RunError> {
    let folder = tempfile::tempdir().map_err(RunError::Watch)?;
    let table = folder.path().join("counts");
    let wrapper: [OsString; 6] = [
        strace.into(),
        "-f".into(),
        "-c".into(),
        "-o".into(),
        table.clone().into(),
        "--".into(),
    ];
    let traced = executable.under(wrapper.into());
    let counts = || -> Result<Counts, RunError> {
        let text = std::fs::read_to_string(&table).map_err(RunError::Watch)?;
        let unknown = || RunError::NoResult("strace wrote no table of counts".to_owned());
        strace::parse(&text).ok_or_else(unknown)
    };

    let once = traced.once(group)?;
    let with_one = counts()?;
    if once.elapsed * BOTH > patience {
        traced.nothing()?;
        return Ok((strace::difference(&with_one, &counts()?, 1.0), true));
    }
    let run = |samples| {
        let measured = traced.measure(group, &Sampling::counted(samples))?;
        Ok((counts()?, measured.iterations))
    };
    let (few, many) = (run(FEW)?, run(MANY)?);
    let iterations = more_iterations(few.1, many.1)?;
    Ok((strace::difference(&many.0, &few.0, iterations), false))
}

fn more_iterations(few: f64, many: f64) -> Result<f64, RunError> {
    let more = many - few;
    if more >= 1.0 {
        return Ok(more);
    }
    let why = format!("runs of {few} and {many} iterations cannot be compared");
    Err(RunError::NoResult(why))
}

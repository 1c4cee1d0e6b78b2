//! A small process between this program and the measured one.
//!
//! The peak memory of a process includes what it had before `exec`, which is the memory of the process that started it.
//! So the measured program is started by a process with very little memory: this executable, before it has done
//! anything else. The launcher also times the program, from just before its start to its end, so this program's own
//! work is not included.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wait4::Wait4;

use crate::child::{RunError, peak_rss_of};

/// As first argument, it selects the launcher. The other arguments are the result file and a command.
const ARGUMENT: &str = "__launch";

/// How far above the launcher's own peak another must be to count as the
/// program's: the kernel's counters lag by some pages.
const MARGIN: u64 = 128 * 1024;

/// The resource usage of a program.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Used {
    /// Elapsed seconds.
    pub(crate) wall: f64,
    /// Seconds of CPU time, of all its threads.
    pub(crate) cpu: f64,
    /// Its peak memory in bytes.
    pub(crate) peak_rss: u64,
    /// Whether the peak is the program's own, rather than an upper bound.
    pub(crate) exact: bool,
}

/// Returns the command that runs a program under a launcher, given this executable and a result file.
pub(crate) fn wrapper(own: &Path, result: &Path) -> Vec<OsString> {
    vec![own.into(), ARGUMENT.into(), result.into()]
}

pub(crate) fn read(result: &Path) -> Result<Used, RunError> {
    let text = fs::read_to_string(result).map_err(RunError::Watch)?;
    serde_json::from_str(&text)
        .map_err(|error| RunError::NoResult(format!("the launcher returned no result: {error}")))
}

/// Acts as a launcher if the arguments select it. Returns the program's exit code.
pub(crate) fn launch(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    if arguments.next().as_deref() != Some(OsStr::new(ARGUMENT)) {
        return None;
    }
    let (result, program) = (arguments.next()?, arguments.next()?);
    let code =
        run(Path::new(&result), Command::new(program).args(arguments)).unwrap_or_else(|why| {
            eprintln!("{why}");
            1
        });
    Some(ExitCode::from(code))
}

/// Returns the program's exit code, or why there is none.
fn run(result: &Path, command: &mut Command) -> Result<u8, String> {
    let started = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start: {error}"))?;
    let ended = child
        .wait4()
        .map_err(|error| format!("cannot wait for the process: {error}"))?;
    let wall = started.elapsed();
    if !ended.status.success() {
        let code = ended.status.code().and_then(|code| u8::try_from(code).ok());
        return code.ok_or_else(|| ended.status.to_string());
    }
    let used = Used {
        wall: wall.as_secs_f64(),
        cpu: (ended.rusage.utime + ended.rusage.stime).as_secs_f64(),
        peak_rss: ended.rusage.maxrss,
        exact: is_own(ended.rusage.maxrss, peak_rss_of("self")),
    };
    let told = serde_json::to_string(&used).map_err(std::io::Error::from);
    told.and_then(|text| fs::write(result, text))
        .map_err(|error| format!("cannot write the result: {error}"))?;
    Ok(0)
}

/// Returns whether a peak is certainly the program's and not the launcher's.
fn is_own(peak: u64, launcher: Option<u64>) -> bool {
    launcher.is_some_and(|launcher| peak > launcher.saturating_add(MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launched(program: &[&str]) -> (Result<u8, String>, Result<Used, RunError>) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let ended = run(file.path(), Command::new(program[0]).args(&program[1..]));
        (ended, read(file.path()))
    }

    #[test]
    fn a_peak_is_told_from_the_launchers() {
        assert!(is_own(5_000_000, Some(2_000_000)));
        assert!(!is_own(2_000_000, Some(2_000_000)));
        assert!(!is_own(5_000_000, Some(u64::MAX)));
        assert!(!is_own(5_000_000, None));
    }

    #[test]
    fn time_is_that_of_the_program() {
        let (ended, used) = launched(&["sleep", "0.1"]);
        assert_eq!(ended, Ok(0));
        let used = used.expect("it was written");
        assert!(used.wall >= 0.1 && used.cpu < 0.1, "{used:?}");
        assert!(used.peak_rss > 100_000, "{used:?}");
    }

    #[test]
    fn other_arguments_ask_for_none() {
        for arguments in [
            &[][..],
            &["--matrix", "m"],
            &[ARGUMENT],
            &[ARGUMENT, "file"],
        ] {
            assert_eq!(launch(arguments.iter().map(Into::into)), None);
        }
    }

    #[test]
    fn failures_are_told() {
        for (program, expected) in [
            (&["sh", "-c", "exit 3"][..], Ok(3)),
            (&["sh", "-c", "kill -9 $$"], Err("signal: 9")),
            (&["no-such-program"], Err("cannot start")),
        ] {
            let (ended, used) = launched(program);
            assert!(used.is_err(), "there is no result");
            match expected {
                Ok(code) => assert_eq!(ended, Ok(code)),
                Err(why) => assert!(ended.is_err_and(|error| error.starts_with(why))),
            }
        }
    }
}

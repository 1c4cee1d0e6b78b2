//! A small process between this program and the one whose memory is measured.
//!
//! What a process had before it became another program counts as its peak too,
//! and that is the memory of whoever started it. So it is started by a process
//! that has next to none: this executable, before it has done anything.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use wait4::Wait4;

use crate::child::peak_rss_of;

/// As first argument, it asks for a launcher. The rest is a command.
const ARGUMENT: &str = "__peak-memory-of";

/// How much above the launcher's own peak another must be to be told from it:
/// the kernel's counters lag behind by some pages.
const MARGIN: u64 = 128 * 1024;

/// What runs a program under a launcher, given this executable.
#[must_use]
pub fn wrapper(own: &Path) -> Vec<OsString> {
    vec![own.into(), ARGUMENT.into()]
}

/// Acts as a launcher if the arguments ask for one, and says how that went.
#[must_use]
pub fn launch(mut arguments: impl Iterator<Item = OsString>) -> Option<Result<(), String>> {
    if arguments.next().as_deref() != Some(OsStr::new(ARGUMENT)) {
        return None;
    }
    let program = arguments.next()?;
    let mut child = match Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
    {
        Ok(child) => child,
        Err(error) => return Some(Err(format!("cannot start: {error}"))),
    };
    Some(match child.wait4() {
        Ok(used) if used.status.success() => {
            let own = peak_rss_of("self").unwrap_or(u64::MAX);
            println!("{} {own}", used.rusage.maxrss);
            Ok(())
        }
        Ok(used) => Err(used.status.to_string()),
        Err(error) => Err(format!("cannot be waited for: {error}")),
    })
}

/// What a launcher has printed: bytes, and whether they are the program's own.
/// Otherwise it had at most that many.
#[must_use]
pub fn parse(output: &str) -> Option<(u64, bool)> {
    let (peak, own) = output.trim_end().split_once(' ')?;
    let (peak, own): (u64, u64) = (peak.parse().ok()?, own.parse().ok()?);
    Some((peak, peak > own.saturating_add(MARGIN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_told_from_the_launchers() {
        assert_eq!(parse("5000000 2000000\n"), Some((5_000_000, true)));
        assert_eq!(parse("2000000 2000000\n"), Some((2_000_000, false)));
        assert_eq!(
            parse("5000000 18446744073709551615\n"),
            Some((5_000_000, false))
        );
        for text in ["", "1", "a b", "1 -2"] {
            assert_eq!(parse(text), None);
        }
    }

    #[test]
    fn other_arguments_ask_for_none() {
        for arguments in [&[][..], &["--matrix", "m"], &[ARGUMENT]] {
            assert_eq!(launch(arguments.iter().map(Into::into)), None);
        }
    }

    #[test]
    fn failures_are_told() {
        for (program, expected) in [
            ("false", "exit status: 1"),
            ("no-such-program", "cannot start"),
        ] {
            let told = launch([ARGUMENT, program].iter().map(Into::into));
            let error = told.expect("it launches").expect_err("it fails");
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

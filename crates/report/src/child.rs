//! One run of another program, with what it has used.
//!
//! The program sleeps until the child ends or a signal comes: looking every few
//! milliseconds would disturb what is measured. Each child leads a process
//! group of its own, which is killed as a whole, so that nothing keeps running
//! that strace has started.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, kill_process_group, pidfd_open};

use crate::interrupt::{Interrupt, Signal};

/// How long a run may take. No benchmark comes near it, so whatever does hangs.
pub(crate) const LIMIT: Duration = Duration::from_mins(10);

/// How much of the output is kept: more than what is read from it.
const KEPT: u64 = 1024 * 1024;

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("interrupted")]
    Interrupted(Signal),
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    #[error("cannot be watched: {0}")]
    Watch(#[source] io::Error),
    #[error("{how}{said}")]
    Failed {
        /// Its exit code or signal.
        how: String,
        /// The last line of its standard error, after a colon.
        said: String,
    },
    #[error("killed, as it had not ended after {} minutes", .0.as_secs() / 60)]
    TimedOut(Duration),
    /// It ended well, but what it should have left is not there.
    #[error("{0}")]
    NoResult(String),
}

#[derive(Debug)]
pub(crate) struct Ended {
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// Its standard output, or as much of it as is kept.
    pub(crate) stdout: String,
    /// Page faults without input, if known.
    pub(crate) minor_faults: Option<u64>,
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command, interrupt: &Interrupt) -> Result<Ended, RunError> {
    run_within(LIMIT, command, interrupt)
}

/// The same, with another limit.
pub(crate) fn run_within(
    limit: Duration,
    command: &mut Command,
    interrupt: &Interrupt,
) -> Result<Ended, RunError> {
    let output = tempfile::tempfile().map_err(RunError::Watch)?;
    let (elapsed, minor_faults) = run_into(&output, limit, command, interrupt)?;
    Ok(Ended {
        elapsed,
        stdout: read(output),
        minor_faults,
    })
}

/// The same, with its standard output in a file. Returns how long it took, and page faults without input if known.
pub(crate) fn run_into(
    output: &File,
    limit: Duration,
    command: &mut Command,
    interrupt: &Interrupt,
) -> Result<(Duration, Option<u64>), RunError> {
    if let Some(signal) = interrupt.signal() {
        return Err(RunError::Interrupted(signal));
    }
    let errors = tempfile::tempfile().map_err(RunError::Watch)?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(RunError::Watch)?)
        .stderr(errors.try_clone().map_err(RunError::Watch)?)
        .process_group(0);
    let started = Instant::now();
    let mut child = command.spawn().map_err(RunError::Start)?;
    let waited = wait(&child, limit, interrupt);
    let elapsed = started.elapsed();
    if waited.is_err() {
        end(&child);
    }
    // A process that has ended still has its counters until it is reaped.
    let minor_faults = minor_faults(&child);
    let status = child.wait().map_err(RunError::Watch)?;
    waited?;
    check(status, errors)?;
    Ok((elapsed, minor_faults))
}

/// Waits until the child has ended, without reaping it.
fn wait(child: &Child, limit: Duration, interrupt: &Interrupt) -> Result<(), RunError> {
    let refused = |error: rustix::io::Errno| RunError::Watch(error.into());
    let ended = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).map_err(refused)?;
    let started = Instant::now();
    loop {
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(RunError::TimedOut(limit));
        }
        let pause = Timespec::try_from(left).map_err(|_| RunError::TimedOut(limit))?;
        let mut events = [
            PollFd::new(&ended, PollFlags::IN),
            PollFd::new(interrupt, PollFlags::IN),
        ];
        match poll(&mut events, Some(&pause)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(refused(error)),
        }
        if let Some(signal) = interrupt.signal() {
            return Err(RunError::Interrupted(signal));
        }
        if !events[0].revents().is_empty() {
            return Ok(());
        }
    }
}

/// The most memory a process has had at once so far, in bytes.
pub(crate) fn peak_rss_of(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    kibibytes(&status, "VmHWM:")
}

/// What a file of `/proc` tells in kB, in bytes.
pub(crate) fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The last line of what a program has said, after a colon.
pub(crate) fn last_line(said: &str) -> String {
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.map_or_else(String::new, |line| format!(": {line}"))
}

/// The first executable of this name on `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Whether it is a file that someone may execute.
pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn minor_faults(child: &Child) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    faults_in(&stat)
}

/// The process's own and those of its ended children, from `/proc/PID/stat`.
fn faults_in(stat: &str) -> Option<u64> {
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(7);
    let own: u64 = fields.next()?.parse().ok()?;
    let children: u64 = fields.next()?.parse().ok()?;
    own.checked_add(children)
}

/// Ends the child and what it has started, however deep in work it is.
fn end(child: &Child) {
    // It fails only if it has ended already.
    let _ = kill_process_group(Pid::from_child(child), rustix::process::Signal::KILL);
}

fn check(status: ExitStatus, errors: File) -> Result<(), RunError> {
    if status.success() {
        return Ok(());
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {signal}"),
        },
        (None, None) => status.to_string(),
    };
    let said = last_line(&read(errors));
    Err(RunError::Failed { how, said })
}

/// What can be read of it; what cannot is not worth failing for.
fn read(mut file: File) -> String {
    let mut bytes = Vec::new();
    let _ = file
        .rewind()
        .and_then(|()| file.take(KEPT).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_behind_any_name() {
        let stat = "12 (a) b (c)) Z 1 2 3 4 5 6 70 8 9 10 11";
        assert_eq!(faults_in(stat), Some(78));
        assert_eq!(faults_in("12 (a"), None);
        assert_eq!(faults_in("12 (a) Z 1 2 3 4 5 6"), None);
        assert_eq!(faults_in("12 (a) Z 1 2 3 4 5 6 x 7"), None);
    }

    #[test]
    fn the_peak_of_this_process_is_known() {
        assert!(peak_rss_of("self").is_some_and(|peak| peak > 100_000));
        assert_eq!(peak_rss_of("0"), None);
    }
}

//! Runs another program and returns its resource usage.
//!
//! This program sleeps until the child ends or a signal arrives: polling every
//! few milliseconds would disturb the measurement. Each child leads its own
//! process group, which is killed as a whole, so nothing that strace has
//! started keeps running.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, kill_process_group, pidfd_open};

use crate::interrupt::{Interrupt, Signal};

/// Time limit of a run. No benchmark comes near it, so a longer run hangs.
pub(crate) const LIMIT: Duration = Duration::from_mins(10);

/// How much of the output is kept; more than is read from it.
const KEPT: u64 = 1024 * 1024;

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("interrupted")]
    Interrupted(Signal),
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    #[error("cannot wait for the process: {0}")]
    Watch(#[source] io::Error),
    #[error("{how}{said}")]
    Failed {
        /// The exit code or signal.
        how: String,
        /// The last line of standard error, after a colon.
        said: String,
    },
    #[error("killed after {} minutes without an end", .0.as_secs() / 60)]
    TimedOut(Duration),
    /// The process succeeded, but its result is missing or wrong.
    #[error("{0}")]
    NoResult(String),
}

#[derive(Debug)]
pub(crate) struct Ended {
    /// Elapsed time.
    pub(crate) elapsed: Duration,
    /// Standard output, up to the limit.
    pub(crate) stdout: String,
    /// Minor page faults, if known.
    pub(crate) minor_faults: Option<u64>,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command, interrupt: &Interrupt) -> Result<Ended, RunError> {
    run_within(LIMIT, command, interrupt)
}

/// Like `run`, with another time limit.
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

/// Like `run`, with standard output in a file. Returns the elapsed time, and minor page faults if known.
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
    // A process that has ended keeps its counters until it is reaped.
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

/// Returns the peak memory of a process so far, in bytes.
pub(crate) fn peak_rss_of(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    kibibytes(&status, "VmHWM:")
}

/// Returns a kB value of a `/proc` file in bytes.
pub(crate) fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Returns the last line of a program's output, after a colon.
pub(crate) fn last_line(said: &str) -> String {
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.map_or_else(String::new, |line| format!(": {line}"))
}

/// Returns the first executable with this name on `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Returns whether this is a file with an execute permission.
pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn minor_faults(child: &Child) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    faults_in(&stat)
}

/// Minor faults of the process and of its ended children, from `/proc/PID/stat`.
fn faults_in(stat: &str) -> Option<u64> {
    // The second field is a name in parentheses, which may contain any characters.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(7);
    let own: u64 = fields.next()?.parse().ok()?;
    let children: u64 = fields.next()?.parse().ok()?;
    own.checked_add(children)
}

/// Kills the child and all processes in its group.
fn end(child: &Child) {
    // It fails only if the child has ended already.
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

/// Reads the file as text. An unreadable one is not worth an error.
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

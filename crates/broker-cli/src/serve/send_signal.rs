//! `broker serve --signal`: sends a signal to a running server.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::nats_server::NAME;

/// A signal, under nats-server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// Exit at once, by SIGKILL.
    Stop,
    /// Drain and exit, by SIGINT.
    Quit,
    /// Drain and exit, by SIGTERM.
    Term,
    /// Reopen the log file.
    Reopen,
    /// Reload the configuration.
    Reload,
    /// Enter lame duck mode.
    LameDuck,
}

/// The server that gets the signal.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Receiver {
    /// The only server of this program on the machine.
    Only,
    /// The process with this id.
    Pid(i32),
    /// The process whose id is in this file.
    PidFile(PathBuf),
}

/// The value of `--signal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    command: Command,
    receiver: Receiver,
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (command, receiver) = match text.split_once('=') {
            Some((command, receiver)) => (command, Some(receiver)),
            None => (text, None),
        };
        let command = match command {
            "stop" => Command::Stop,
            "quit" => Command::Quit,
            "term" => Command::Term,
            "reopen" => Command::Reopen,
            "reload" => Command::Reload,
            "ldm" => Command::LameDuck,
            other => {
                return Err(format!(
                    "unknown signal {other:?}; give ldm, stop, quit, term, reopen or reload"
                ));
            }
        };
        let receiver = match receiver {
            None | Some("") => Receiver::Only,
            Some(text) => match text.parse() {
                Ok(pid @ 1..) => Receiver::Pid(pid),
                // These are process groups, or all processes.
                Ok(_) => return Err(format!("invalid pid: {text}")),
                Err(_) => Receiver::PidFile(text.into()),
            },
        };
        Ok(Self { command, receiver })
    }
}

/// The reason why no signal was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("no broker processes running")]
    None,
    #[error("multiple broker processes running:{}", listed(.0))]
    Several(Vec<i32>),
    #[cfg(unix)]
    #[error("invalid pid file {}: {why}; give a process id, or a file with one", path.display())]
    PidFile { path: PathBuf, why: String },
    #[cfg(unix)]
    #[error("cannot find the server's process: {0}; give its id, as in --signal term=PID")]
    Unresolved(std::io::Error),
    #[cfg(unix)]
    #[error("cannot send the signal to {pid}: {source}")]
    Refused { pid: i32, source: std::io::Error },
    #[cfg(not(unix))]
    #[error("there are no signals on this system")]
    NoSignals,
}

fn listed(pids: &[i32]) -> String {
    let pids: Vec<_> = pids.iter().map(i32::to_string).collect();
    format!("\n{}", pids.join("\n"))
}

/// Returns the only one of the processes.
#[cfg_attr(not(unix), allow(dead_code, reason = "no process is looked for there"))]
fn only(pids: Vec<i32>) -> Result<i32, OrderError> {
    match pids[..] {
        [] => Err(OrderError::None),
        [pid] => Ok(pid),
        _ => Err(OrderError::Several(pids)),
    }
}

#[cfg(not(unix))]
impl Order {
    pub(crate) fn send(&self) -> Result<(), OrderError> {
        Err(OrderError::NoSignals)
    }
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::path::Path;

    use rustix::process::{Pid, Signal, kill_process};

    use super::{Command, Order, OrderError, Receiver, only};

    impl Order {
        /// Sends the signal.
        pub(crate) fn send(&self) -> Result<(), OrderError> {
            let signal = match self.command {
                Command::Stop => Signal::KILL,
                Command::Quit => Signal::INT,
                Command::Term => Signal::TERM,
                Command::Reopen => Signal::USR1,
                Command::Reload => Signal::HUP,
                Command::LameDuck => Signal::USR2,
            };
            let pid = match &self.receiver {
                Receiver::Only => only(servers().map_err(OrderError::Unresolved)?)?,
                Receiver::Pid(pid) => *pid,
                Receiver::PidFile(path) => number_in(path)?,
            };
            let sent = match Pid::from_raw(pid) {
                Some(process) => kill_process(process, signal).map_err(io::Error::from),
                None => Err(io::ErrorKind::NotFound.into()),
            };
            sent.map_err(|source| OrderError::Refused { pid, source })
        }
    }

    fn number_in(path: &Path) -> Result<i32, OrderError> {
        let wrong = |why| OrderError::PidFile {
            path: path.to_owned(),
            why,
        };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        match text.trim().parse() {
            Ok(pid @ 1..) => Ok(pid),
            _ => Err(wrong("it holds no process id".to_owned())),
        }
    }

    /// Returns the other processes of this program that are servers.
    fn servers() -> io::Result<Vec<i32>> {
        let own = fs::read_link("/proc/self/exe")?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            // Processes of other users are hidden, and ended ones are gone.
            let exe = fs::read_link(entry.path().join("exe"));
            let is_own = exe.is_ok_and(|exe| super::is_same(&exe, &own));
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if is_own && super::serves(&line) {
                found.push(pid);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// Returns whether two links to executable files belong to the same program. Linux marks the link of a
/// file that was replaced, as in an upgrade.
#[cfg_attr(not(unix), allow(dead_code, reason = "no process is looked for there"))]
fn is_same(exe: &Path, own: &Path) -> bool {
    let known = |path: &Path| {
        let path = path.as_os_str().as_encoded_bytes();
        path.strip_suffix(b" (deleted)").unwrap_or(path).to_vec()
    };
    known(exe) == known(own)
}

/// Returns whether a command line, with a zero byte after each argument, starts a server.
#[cfg_attr(not(unix), allow(dead_code, reason = "no process is looked for there"))]
fn serves(line: &[u8]) -> bool {
    let mut arguments = line.split(|&byte| byte == 0);
    let is_order = |argument: &[u8]| {
        let name = argument.split(|&byte| byte == b'=').next();
        let name = name.and_then(|name| name.strip_prefix(b"-"));
        name.is_some_and(|name| [&b"sl"[..], b"-sl", b"signal", b"-signal"].contains(&name))
    };
    let program = arguments.next().unwrap_or_default();
    let name = program.rsplit(|&byte| byte == b'/').next();
    let is_server = name == Some(NAME.as_bytes()) || arguments.next() == Some(b"serve");
    is_server && !arguments.any(is_order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_by_nats_server() {
        let order = |command, receiver| Some(Order { command, receiver });
        for (text, expected) in [
            ("stop", order(Command::Stop, Receiver::Only)),
            ("quit=", order(Command::Quit, Receiver::Only)),
            ("term=7", order(Command::Term, Receiver::Pid(7))),
            (
                "reopen=/run/b.pid",
                order(Command::Reopen, Receiver::PidFile("/run/b.pid".into())),
            ),
            ("reload", order(Command::Reload, Receiver::Only)),
            ("ldm=12", order(Command::LameDuck, Receiver::Pid(12))),
            ("ldm=0", None),
            ("ldm=-1", None),
            ("", None),
            ("kill", None),
            ("TERM", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_replaced_program_is_the_same() {
        for (exe, same) in [
            ("/opt/broker", true),
            ("/opt/broker (deleted)", true),
            ("/opt/broker2", false),
        ] {
            assert_eq!(is_same(exe.as_ref(), "/opt/broker".as_ref()), same, "{exe}");
        }
    }

    #[test]
    fn one_process_is_told_and_no_other_number() {
        assert_eq!(only(vec![7]).ok(), Some(7));
        let none = only(Vec::new()).expect_err("there is none");
        assert_eq!(none.to_string(), "no broker processes running");
        let several = only(vec![7, 8]).expect_err("which one?");
        let text = "multiple broker processes running:\n7\n8";
        assert_eq!(several.to_string(), text);
    }

    #[test]
    fn those_who_serve_are_told_from_those_who_do_not() {
        for (line, expected) in [
            (&b"broker\0serve\0"[..], true),
            (b"/usr/bin/broker\0serve\0-p\0-1\0", true),
            (b"broker\0serve\0--signal\0term\0", false),
            (b"broker\0serve\0--signal=term\0", false),
            (b"broker\0serve\0-sl\0term\0", false),
            (b"broker\0bench\0serve\0", false),
            (b"/opt/nats-server\0-p\0-1\0", true),
            (b"nats-server\0", true),
            (b"nats-server\0-signal\0reload\0", false),
            (b"nats-server\0-p\0-1\0-sl=reload\0", false),
            (b"broker\0", false),
            (b"", false),
        ] {
            let text = String::from_utf8_lossy(line);
            assert_eq!(serves(line), expected, "{text:?}");
        }
    }
}

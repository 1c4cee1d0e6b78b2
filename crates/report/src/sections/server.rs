//! A server, started for one load.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::scenario::Scenario;
use crate::child::{RunError, kibibytes, last_line};
use crate::interrupt::Interrupt;
use crate::matrix::Variant;
use crate::section::Column;
use crate::statistics::as_number;

/// Time limit for a server to start, to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two attempts to connect: far less than the measured time.
const ATTEMPT: Duration = Duration::from_micros(50);
/// Clock ticks per second, the same on every Linux.
const TICKS: f64 = 100.0;

/// The kind of server, which determines its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `broker serve`.
    Broker,
    /// nats-server.
    Nats,
    /// The minimal server, which only has a route from one client to one.
    Least,
}

/// What a server is to other servers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    /// Alone.
    Single,
    /// The hub of leaf nodes, which connect to this address. Only nats-server can be one.
    Hub(SocketAddr),
    /// A leaf node of the hub at this address.
    Leaf(SocketAddr),
}

impl Role {
    /// Returns the role in nats-server's configuration format.
    fn settings(self) -> String {
        match self {
            Self::Single => String::new(),
            Self::Hub(address) => format!("leafnodes {{ listen: \"{address}\" }}\n"),
            Self::Leaf(hub) => {
                format!("leafnodes {{ remotes: [ {{ url: \"nats-leaf://{hub}\" }} ] }}\n")
            }
        }
    }
}

/// A server program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its column in the report.
    pub(crate) column: Column,
    pub(crate) path: PathBuf,
    /// The kind of server.
    pub(crate) kind: Kind,
}

/// Returns the servers: each variant's program if it has one, and nats-server and the minimal server if available.
pub(crate) fn all(
    variants: &[Variant],
    nats: Option<PathBuf>,
    least: Option<PathBuf>,
) -> Vec<Program> {
    let brokers = variants.iter().filter_map(|variant| {
        Some(Program {
            column: variant.column(),
            path: variant.program.clone()?,
            kind: Kind::Broker,
        })
    });
    let other = |name, label, path, kind| Program {
        column: Column::new(name, label, false),
        path,
        kind,
    };
    let nats = nats.map(|path| other("nats-server", "nats-server", path, Kind::Nats));
    let least = least.map(|path| other("least", "least server", path, Kind::Least));
    brokers.chain(nats).chain(least).collect()
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    process: Child,
    errors: File,
    /// The address it listens on.
    pub(super) address: SocketAddr,
    /// Time from starting the process to its first PONG.
    pub(super) start: Duration,
    /// The configuration file, which nats-server may read later than at its start.
    _settings: NamedTempFile,
}

/// The resource usage of a process so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Used {
    /// Current memory in bytes.
    pub(super) rss: f64,
    /// Peak memory in bytes.
    pub(super) peak: f64,
    /// CPU time in seconds.
    pub(super) cpu: f64,
}

impl Program {
    /// Returns whether the server supports this load, or idle clients if there is none.
    pub(super) fn can(&self, scenario: Option<&Scenario>) -> bool {
        self.kind != Kind::Least || scenario.is_some_and(Scenario::is_one_to_one)
    }

    /// Returns the command that starts the server. `settings` is a file with nats-server's part of the role.
    fn command(&self, address: SocketAddr, role: Role, settings: &Path) -> Command {
        let mut command = Command::new(&self.path);
        match self.kind {
            Kind::Broker | Kind::Least => {
                command.args(["serve", "--listen", &address.to_string()]);
                if let Role::Leaf(hub) = role {
                    command.args(["--leaf", &format!("nats-leaf://{hub}")]);
                }
            }
            Kind::Nats => {
                let (host, port) = (address.ip().to_string(), address.port().to_string());
                command.args(["-a", &host, "-p", &port, "-c"]).arg(settings);
            }
        }
        command
    }

    /// Starts the server and waits for its first PONG.
    pub(super) fn start(&self, role: Role, interrupt: &Interrupt) -> Result<Running, RunError> {
        if let Some(signal) = interrupt.signal() {
            return Err(RunError::Interrupted(signal));
        }
        let address = free_port().map_err(RunError::Watch)?;
        let errors = tempfile::tempfile().map_err(RunError::Watch)?;
        let log = errors.try_clone().map_err(RunError::Watch)?;
        let mut settings = NamedTempFile::new().map_err(RunError::Watch)?;
        settings
            .write_all(role.settings().as_bytes())
            .map_err(RunError::Watch)?;
        let mut command = self.command(address, role, settings.path());
        // Ctrl-C must reach only this program, which then ends the server.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let started = Instant::now();
        let process = command.spawn().map_err(RunError::Start)?;
        let mut running = Running {
            process,
            errors,
            address,
            start: Duration::ZERO,
            _settings: settings,
        };
        loop {
            match client(address) {
                Ok(_) => break,
                Err(error) if started.elapsed() > PATIENCE => {
                    let why = format!("does not answer: {error}{}", running.last_line());
                    return Err(RunError::NoResult(why));
                }
                Err(_) => running.check()?,
            }
            if let Some(signal) = interrupt.signal() {
                return Err(RunError::Interrupted(signal));
            }
            sleep(ATTEMPT);
        }
        running.start = started.elapsed();
        Ok(running)
    }
}

/// Returns a free port of the loopback interface. Each kind of server would
/// report a port of its own choice in a different way.
pub(super) fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Connects as a client and waits for PONG.
pub(super) fn client(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n")?;
    let mut said: Vec<u8> = Vec::new();
    let mut part = [0; 4096];
    while !said.windows(6).any(|bytes| bytes == b"PONG\r\n") {
        match stream.read(&mut part)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => said.extend(&part[..read]),
        }
    }
    Ok(stream)
}

impl Running {
    /// Checks that the server still runs.
    pub(super) fn check(&mut self) -> Result<(), RunError> {
        match self.process.try_wait().map_err(RunError::Watch)? {
            None => Ok(()),
            Some(status) => {
                let said = self.last_line();
                Err(RunError::NoResult(format!(
                    "the server has ended ({status}){said}"
                )))
            }
        }
    }

    /// Returns its resource usage so far.
    pub(super) fn used(&self) -> Result<Used, RunError> {
        let id = self.process.id();
        let read = |name: &str| fs::read_to_string(format!("/proc/{id}/{name}"));
        let status = read("status").map_err(RunError::Watch)?;
        let stat = read("stat").map_err(RunError::Watch)?;
        used(&status, &stat)
            .ok_or_else(|| RunError::NoResult("/proc does not report its usage".to_owned()))
    }

    /// Returns the last line of its log, after a colon.
    fn last_line(&mut self) -> String {
        let mut bytes = Vec::new();
        // If this fails, the error has less detail.
        let _ = self
            .errors
            .rewind()
            .and_then(|()| (&self.errors).take(1 << 16).read_to_end(&mut bytes));
        last_line(&String::from_utf8_lossy(&bytes))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It fails only if the server has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn used(status: &str, stat: &str) -> Option<Used> {
    // The second field is a name in parentheses, which may contain any characters.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || times.next()?.parse().ok().map(as_number);
    let (user, system) = (ticks()?, ticks()?);
    Some(Used {
        rss: as_number(kibibytes(status, "VmRSS:")?),
        peak: as_number(kibibytes(status, "VmHWM:")?),
        cpu: (user + system) / TICKS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_without_a_program_are_left_out() {
        let variant = |name: &str, program: Option<&str>| Variant {
            name: name.to_owned(),
            label: name.to_owned(),
            allocations: name.into(),
            program: program.map(Into::into),
            shipped: false,
        };
        let variants = [variant("floor", None), variant("broker", Some("b"))];
        let servers = all(&variants, Some("n".into()), Some("l".into()));
        let names: Vec<_> = servers.iter().map(|server| &*server.column.name).collect();
        assert_eq!(names, ["broker", "nats-server", "least"]);
    }

    #[test]
    fn what_a_process_uses() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20";
        let expected = Used {
            rss: 1_048_576.0,
            peak: 2_097_152.0,
            cpu: 2.0,
        };
        assert_eq!(used(status, stat), Some(expected));
        assert_eq!(used("", stat), None);
        assert_eq!(used(status, "12 (a) S 1"), None);
    }
}

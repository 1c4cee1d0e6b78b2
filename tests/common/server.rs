//! A Broker server, for tests that speak the protocol themselves.

#![allow(dead_code, reason = "each test executable uses a part")]

#[path = "process.rs"]
mod process;

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

pub(crate) use process::Process;
pub(crate) use process::{Description, PATIENCE, Program};
use rustix::process::Signal;
use serde_json::Value;

use crate::client::Client;
use crate::http::get;

/// Returns the path of the executable.
pub(crate) fn program() -> PathBuf {
    Program::broker()
}

/// Returns whether the server was built without optimisation, which makes it several times slower.
pub(crate) fn is_slow() -> bool {
    cfg!(debug_assertions) && Program::is_own()
}

/// Returns the number in this variable, or `otherwise` if it is not set.
pub(crate) fn from_environment(variable: &str, otherwise: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else {
        return otherwise;
    };
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("{variable} is a number, not {text}"))
}

/// Returns the memory limit, in bytes, that Broker states for these flags.
pub(crate) fn stated_memory(workers: usize, max_memory: u64) -> u64 {
    const MIB: u64 = 1 << 20;
    32 * MIB + workers as u64 * 16 * MIB + max_memory + max_memory / 4
}

/// Returns whether `broker serve` has this flag, which an older program may lack.
pub(crate) fn has_flag(flag: &str) -> bool {
    static HELP: OnceLock<String> = OnceLock::new();
    let help = HELP.get_or_init(|| {
        let output = Command::new(program()).args(["serve", "--help"]).output();
        let output = output.expect("the executable starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    help.split_whitespace().any(|word| word == flag)
}

/// A running server, which ends with the test.
pub(crate) struct Server {
    process: Process,
    pub(crate) port: u16,
}

impl Server {
    /// Starts a server on any free port with these additional arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.arg("serve").args(arguments);
        Self::from_command(command)
    }

    /// Starts the described server, which may be nats-server.
    pub(crate) fn described(described: &Description) -> Self {
        let process = Program::chosen().start(described, 0);
        let port = process.port;
        Self { process, port }
    }

    /// Starts a server with this limit on open files.
    pub(crate) fn with_open_files(most: usize) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most}; exec \"$0\" serve");
        command.arg("-c").arg(script).arg(program());
        Self::from_command(command)
    }

    fn from_command(mut command: Command) -> Self {
        command.env("BROKER_LISTEN", "127.0.0.1:0");
        let process = Process::start(command);
        let port = process.port;
        Self { process, port }
    }

    /// Returns the monitoring port.
    pub(crate) fn http_port(&self) -> u16 {
        self.process.port_after("http monitor on ")
    }

    /// Waits for a line in the log.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        self.process.wait_for_log(text)
    }

    /// Returns all lines of the log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.process.log()
    }

    /// From the next line on, lets the log's pipe fill up, or reads it again.
    pub(crate) fn leave_log_unread(&self, unread: bool) {
        self.process.leave_log_unread(unread);
    }

    /// Returns the server's `/varz`; it needs `--http`.
    pub(crate) fn varz(&self) -> Value {
        let (_, body) = get(self.http_port(), "/varz");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Opens a connection that has read INFO and nothing else.
    pub(crate) fn open(&self) -> Client {
        let mut client = Client::to(self.port);
        client.read_info();
        client
    }

    /// Opens a connection and sends a CONNECT that is neither verbose nor pedantic.
    pub(crate) fn connect(&self) -> Client {
        let mut client = self.open();
        client.connect();
        client
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until the server has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Returns the server's resident memory in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident(&self) -> usize {
        let path = format!("/proc/{}/statm", self.process.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        let pages = text.split(' ').nth(1).expect("the second number");
        pages.parse::<usize>().expect("a number") * rustix::param::page_size()
    }
}

/// Figures that Linux reports for the process.
#[cfg(target_os = "linux")]
impl Server {
    /// Returns the server's peak resident memory in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.and_then(|number| number.parse::<u64>().ok());
        kib.expect("a number of kB") * 1024
    }

    /// Returns the number of open files, including sockets.
    pub(crate) fn open_files(&self) -> usize {
        let path = format!("/proc/{}/fd", self.process.id());
        std::fs::read_dir(path).expect("it runs").count()
    }

    /// Returns the CPU time used so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.process.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        // The program's name, in parentheses, may contain spaces.
        let (_, fields) = text.rsplit_once(") ").expect("a name in parentheses");
        let times = fields.split(' ').skip(11).take(2);
        let ticks: u64 = times.map(|time| time.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }

    /// Returns the longest time for which one of its threads has waited for a CPU so far, all waits
    /// together, as far as the system counts that.
    pub(crate) fn longest_cpu_wait(&self) -> Option<Duration> {
        let path = format!("/proc/{}/task", self.process.id());
        let threads = std::fs::read_dir(path).expect("it runs");
        let waits = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            // Nanoseconds on a CPU, and waiting for one.
            let waited = text.split_whitespace().nth(1)?;
            Some(Duration::from_nanos(waited.parse().ok()?))
        });
        waits.max()
    }
}

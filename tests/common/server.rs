//! The server under test.
//!
//! It is the one built along with the tests, or the one that the variable
//! `SERVER_UNDER_TEST` names: `broker:PATH`. A second program tells whether a test
//! finds what it is there to find.

#![allow(dead_code, reason = "each test executable uses its part")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::Client;
use crate::http::get;

/// How long anything may take before a test gives up: the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Names the program: `broker:PATH`.
const VARIABLE: &str = "SERVER_UNDER_TEST";

/// The executable to start.
pub(crate) fn program() -> PathBuf {
    let Ok(named) = std::env::var(VARIABLE) else {
        return env!("CARGO_BIN_EXE_broker").into();
    };
    match named.split_once(':') {
        Some(("broker", path)) => path.into(),
        _ => panic!("{VARIABLE} is broker:PATH here, not {named}"),
    }
}

/// Whether the server was built without optimisation: then it is several times
/// slower, and so is what it can promise.
pub(crate) fn is_slow() -> bool {
    cfg!(debug_assertions) && std::env::var_os(VARIABLE).is_none()
}

/// Whether `broker serve` has this flag. An older program may not.
pub(crate) fn has_flag(flag: &str) -> bool {
    static HELP: OnceLock<String> = OnceLock::new();
    let help = HELP.get_or_init(|| {
        let output = Command::new(program()).args(["serve", "--help"]).output();
        let output = output.expect("the executable starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    help.split_whitespace().any(|word| word == flag)
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
    /// Nobody reads what the server writes any more.
    unread: Mutex<bool>,
    read_again: Condvar,
}

impl Log {
    /// Waits for a line with `text` in it and returns the line.
    fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().expect("no panic with the lock");
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {text:?} in the log: {lines:#?}");
            lines = self.more.wait_timeout(lines, left).expect("as above").0;
        }
    }
}

/// A running server, which ends with the test.
pub(crate) struct Server {
    child: Child,
    log: Arc<Log>,
    pub(crate) port: u16,
}

impl Server {
    /// Starts it at any free port with further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.arg("serve").args(arguments);
        Self::from_command(command)
    }

    /// Starts it with room for so many open files.
    pub(crate) fn with_open_files(most: usize) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most}; exec \"$0\" serve");
        command.arg("-c").arg(script).arg(program());
        Self::from_command(command)
    }

    fn from_command(mut command: Command) -> Self {
        let mut child = command
            .env("BROKER_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the executable starts");
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let writer = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut lines = writer.lines.lock().expect("no panic with the lock");
                lines.push(line);
                writer.more.notify_all();
                drop(lines);
                let mut unread = writer.unread.lock().expect("no panic with the lock");
                while *unread {
                    unread = writer.read_again.wait(unread).expect("as above");
                }
            }
        });
        let mut server = Self {
            child,
            log,
            port: 0,
        };
        server.port = server.port_after("listening on ");
        server
    }

    fn port_after(&self, text: &str) -> u16 {
        let line = self.log.wait_for(text);
        let port: String = line
            .rsplit(':')
            .next()
            .expect("a colon before the port")
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        port.parse().expect("a port")
    }

    /// The port of the monitoring.
    pub(crate) fn http_port(&self) -> u16 {
        self.port_after("monitoring on ")
    }

    /// Waits for a line in the log.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        self.log.wait_for(text)
    }

    /// All lines of the log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        let lines = self.log.lines.lock().expect("no panic with the lock");
        lines.clone()
    }

    /// From the next line on, lets the pipe of the log fill up, or reads it again.
    pub(crate) fn leave_log_unread(&self, unread: bool) {
        *self.log.unread.lock().expect("no panic with the lock") = unread;
        self.log.read_again.notify_all();
    }

    /// The figures of its monitor; it needs `--http`.
    pub(crate) fn varz(&self) -> Value {
        let (_, body) = get(self.http_port(), "/varz");
        serde_json::from_str(&body).expect("JSON")
    }

    /// A connection that has read INFO and nothing else.
    pub(crate) fn open(&self) -> Client {
        let mut client = Client::to(self.port);
        client.read_info();
        client
    }

    /// A connection after a CONNECT that is neither verbose nor pedantic.
    pub(crate) fn connect(&self) -> Client {
        let mut client = self.open();
        client.connect();
        client
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Memory of the server in RAM, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident(&self) -> usize {
        let path = format!("/proc/{}/statm", self.child.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        let pages = text.split(' ').nth(1).expect("the second number");
        pages.parse::<usize>().expect("a number") * rustix::param::page_size()
    }
}

/// What Linux tells of the process.
#[cfg(target_os = "linux")]
impl Server {
    /// The most memory that it ever had in RAM, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib = kib.and_then(|number| number.parse::<u64>().ok());
        kib.expect("a number of kB") * 1024
    }

    /// CPU time that it took so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        // The name of the program, in parentheses, may have spaces.
        let (_, fields) = text.rsplit_once(") ").expect("a name in parentheses");
        let times = fields.split(' ').skip(11).take(2);
        let ticks: u64 = times.map(|time| time.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

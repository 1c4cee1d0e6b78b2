//! The server under test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;

/// How long anything may take before a test gives up: the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_broker"));
        command.arg("serve").args(arguments);
        Self::from_command(command)
    }

    /// Starts it with room for so many open files.
    pub(crate) fn with_open_files(most: usize) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most}; exec \"$0\" serve");
        command
            .arg("-c")
            .arg(script)
            .arg(env!("CARGO_BIN_EXE_broker"));
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

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

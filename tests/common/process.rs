//! A server process: its program, flags and log.
//!
//! The program is the Broker that was built along with the tests, or what the variable
//! `SERVER_UNDER_TEST` names: `broker:PATH` or `nats-server:PATH`. Another program shows whether a
//! test detects what it should, and the tests need to be built only once for all variants of
//! Broker.

#![allow(dead_code, reason = "each test executable uses a part")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};

/// Timeout of a test step: the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Names the program: `broker:PATH` or `nats-server:PATH`.
const VARIABLE: &str = "SERVER_UNDER_TEST";

/// The Broker that was built along with the tests.
const OWN: &str = env!("CARGO_BIN_EXE_broker");

/// A test's requirements on the server, independent of the program's flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    pub(crate) user: Option<(&'static str, &'static str)>,
    pub(crate) token: Option<&'static str>,
    pub(crate) tls: Option<Tls>,
    /// Largest payload of a message, including headers, in bytes.
    pub(crate) max_payload: Option<usize>,
    /// Most pending output of a client, in bytes.
    pub(crate) max_pending: Option<usize>,
    /// The server serves `/varz`.
    pub(crate) monitor: bool,
    /// A configuration file in nats-server's format, which both programs read.
    pub(crate) config: Option<PathBuf>,
    /// Flags of Broker for features that nats-server does not have.
    pub(crate) broker_flags: Vec<String>,
}

/// Files of a TLS server.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The CA for client certificates; `None` if clients need none.
    pub(crate) clients_ca: Option<PathBuf>,
    /// The handshake comes before INFO.
    pub(crate) first: bool,
}

/// The server under test.
pub(crate) enum Program {
    Broker(PathBuf),
    NatsServer(PathBuf),
}

impl Program {
    pub(crate) fn chosen() -> Self {
        let Ok(named) = std::env::var(VARIABLE) else {
            return Self::Broker(OWN.into());
        };
        match named.split_once(':') {
            Some(("broker", path)) => Self::Broker(path.into()),
            Some(("nats-server", path)) => Self::NatsServer(path.into()),
            _ => panic!("{VARIABLE} is broker:PATH or nats-server:PATH, not {named}"),
        }
    }

    /// Returns the path of Broker, for tests of Broker's own features.
    pub(crate) fn broker() -> PathBuf {
        match Self::chosen() {
            Self::Broker(path) => path,
            Self::NatsServer(_) => panic!("{VARIABLE} is broker:PATH here"),
        }
    }

    /// Returns the path of the Broker that generates load: the one under test, or what
    /// `LOAD_GENERATOR` names if another server is under test.
    pub(crate) fn load_generator() -> PathBuf {
        match Self::chosen() {
            Self::Broker(path) => path,
            Self::NatsServer(_) => std::env::var_os("LOAD_GENERATOR")
                .unwrap_or_else(|| OWN.into())
                .into(),
        }
    }

    /// Returns whether the program was built along with the tests.
    pub(crate) fn is_own() -> bool {
        std::env::var_os(VARIABLE).is_none()
    }

    /// Starts the described server on `port`; 0 means any free port.
    pub(crate) fn start(&self, described: &Description, port: u16) -> Process {
        match self {
            Self::Broker(path) => Process::start(broker(path, described, port)),
            Self::NatsServer(path) => {
                let settings = nats_servers_settings(described);
                let mut command = nats_server(path, described, port);
                if let Some(file) = settings.as_ref().or(described.config.as_ref()) {
                    command.arg("--config").arg(file);
                }
                let process = Process::start(command);
                // The server reads the file only at its start.
                if let Some(file) = settings {
                    std::fs::remove_file(file).expect("it was written here");
                }
                process
            }
        }
    }
}

fn broker(path: &PathBuf, described: &Description, port: u16) -> Command {
    let mut command = Command::new(path);
    command
        .arg("serve")
        .args(["--listen", &format!("127.0.0.1:{port}")]);
    if let Some((user, password)) = described.user {
        command.args(["--user", user, "--password", password]);
    }
    if let Some(token) = described.token {
        command.args(["--token", token]);
    }
    if let Some(tls) = &described.tls {
        command.arg("--tls-cert").arg(&tls.certificate);
        command.arg("--tls-key").arg(&tls.key);
        if let Some(ca) = &tls.clients_ca {
            command.arg("--tls-ca").arg(ca);
        }
        if tls.first {
            command.arg("--tls-handshake-first");
        }
    }
    if let Some(bytes) = described.max_payload {
        command.args(["--max-payload", &bytes.to_string()]);
    }
    if let Some(bytes) = described.max_pending {
        command.args(["--max-pending", &bytes.to_string()]);
    }
    if described.monitor {
        command.args(["--http", "127.0.0.1:0"]);
    }
    if let Some(file) = &described.config {
        command.arg("--config").arg(file);
    }
    command.args(&described.broker_flags);
    command
}

fn nats_server(path: &PathBuf, described: &Description, port: u16) -> Command {
    let mut command = Command::new(path);
    // nats-server's "any free port" is -1; 0 is its default port.
    let port = if port == 0 {
        "-1".to_owned()
    } else {
        port.to_string()
    };
    command.args(["--addr", "127.0.0.1", "--port", &port]);
    if let Some((user, password)) = described.user {
        command.args(["--user", user, "--pass", password]);
    }
    if let Some(token) = described.token {
        command.args(["--auth", token]);
    }
    // With the handshake first, all TLS settings are in the file.
    if let Some(tls) = described.tls.as_ref().filter(|tls| !tls.first) {
        command.arg("--tls");
        command.arg("--tlscert").arg(&tls.certificate);
        command.arg("--tlskey").arg(&tls.key);
        if let Some(ca) = &tls.clients_ca {
            command.arg("--tlsverify").arg("--tlscacert").arg(ca);
        }
    }
    command
}

/// Writes a file with the settings for which nats-server has no flags, if there are any.
fn nats_servers_settings(described: &Description) -> Option<PathBuf> {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let sizes = [
        ("max_payload", described.max_payload),
        ("max_pending", described.max_pending),
    ];
    let mut settings = String::new();
    for (name, bytes) in sizes {
        if let Some(bytes) = bytes {
            let _ = writeln!(settings, "{name}: {bytes}");
        }
    }
    if let Some(tls) = described.tls.as_ref().filter(|tls| tls.first) {
        let (certificate, key) = (tls.certificate.display(), tls.key.display());
        let _ = writeln!(
            settings,
            "tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", handshake_first: true }}"
        );
    }
    if described.monitor {
        settings.push_str("http: \"127.0.0.1:-1\"\n");
    }
    if settings.is_empty() {
        return None;
    }
    let (process, file) = (std::process::id(), FILES.fetch_add(1, Relaxed));
    let file = std::env::temp_dir().join(format!("nats-server-{process}-{file}.conf"));
    std::fs::write(&file, settings).expect("a file can be written");
    Some(file)
}

/// A server's log so far.
#[derive(Default)]
struct Log {
    lines: Mutex<Lines>,
    more: Condvar,
    /// The log is not read any more.
    unread: Mutex<bool>,
    read_again: Condvar,
}

#[derive(Default)]
struct Lines {
    written: Vec<String>,
    /// The log has ended.
    ended: bool,
}

impl Log {
    /// Waits for a line that contains this text, and returns the line.
    fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().expect("no panic with the lock");
        let sought = |line: &&String| line.contains(text);
        loop {
            if let Some(line) = lines.written.iter().find(sought) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.ended {
                let written = lines.written.join("\n");
                drop(lines);
                panic!("no {text:?} in the log: {written}");
            }
            lines = self.more.wait_timeout(lines, left).expect("as above").0;
        }
    }

    fn read(&self, written: impl BufRead) {
        for line in written.lines().map_while(Result::ok) {
            let mut lines = self.lines.lock().expect("no panic with the lock");
            lines.written.push(line);
            self.more.notify_all();
            drop(lines);
            let mut unread = self.unread.lock().expect("no panic with the lock");
            while *unread {
                unread = self.read_again.wait(unread).expect("as above");
            }
        }
        let mut lines = self.lines.lock().expect("no panic with the lock");
        lines.ended = true;
        self.more.notify_all();
    }
}

/// A running server, killed when dropped; its log is shown if the test fails.
pub(crate) struct Process {
    child: Child,
    log: Arc<Log>,
    /// The port that it listens on.
    pub(crate) port: u16,
}

impl Process {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::<Log>::default();
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let reader = Arc::clone(&log);
        thread::spawn(move || reader.read(stderr));
        let port = 0;
        let mut process = Self { child, log, port };
        process.port = process.port_after("client connections on ");
        process
    }

    /// Returns the port in the first log line that contains this text.
    pub(crate) fn port_after(&self, text: &str) -> u16 {
        let line = self.log.wait_for(text);
        let (_, digits) = line.rsplit_once(':').expect("a colon before the port");
        let digits = digits.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|port| port.parse().ok()).expect("a port")
    }

    /// Returns the address in the form that client libraries accept.
    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Waits for a line in the log.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        self.log.wait_for(text)
    }

    /// Returns all lines of the log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        let lines = self.log.lines.lock().expect("no panic with the lock");
        lines.written.clone()
    }

    /// From the next line on, lets the log's pipe fill up, or reads it again.
    pub(crate) fn leave_log_unread(&self, unread: bool) {
        *self.log.unread.lock().expect("no panic with the lock") = unread;
        self.log.read_again.notify_all();
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits until the server has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking()
            && let Ok(lines) = self.log.lines.lock()
        {
            let written = lines.written.join("\n");
            eprintln!("--- the server's log ---\n{written}\n---");
        }
    }
}

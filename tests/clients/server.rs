//! The server under test: started from one description, whichever program it is.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::certificates::Folder;

/// Names the program: `broker:PATH` or `nats-server:PATH`.
const VARIABLE: &str = "SERVER_UNDER_TEST";

/// How long a server may take to listen: far more than it needs on a busy machine.
const START: Duration = Duration::from_secs(20);

/// What a test asks of the server, in neither program's flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    pub(crate) user: Option<(&'static str, &'static str)>,
    pub(crate) token: Option<&'static str>,
    pub(crate) tls: Option<Tls>,
    /// Bytes a message may have, headers included.
    pub(crate) max_payload: Option<usize>,
}

/// Files of a server that speaks TLS.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Whose client certificates are asked for; `None` asks for none.
    pub(crate) clients_ca: Option<PathBuf>,
}

enum Program {
    Broker(PathBuf),
    NatsServer(PathBuf),
}

impl Program {
    fn chosen() -> Self {
        let Ok(named) = std::env::var(VARIABLE) else {
            return Self::Broker(env!("CARGO_BIN_EXE_broker").into());
        };
        match named.split_once(':') {
            Some(("broker", path)) => Self::Broker(path.into()),
            Some(("nats-server", path)) => Self::NatsServer(path.into()),
            _ => panic!("{VARIABLE} is broker:PATH or nats-server:PATH, not {named}"),
        }
    }

    /// The command that serves what is described on `port`; 0 is any free one.
    fn command(&self, described: &Description, port: u16, folder: &Folder) -> Command {
        match self {
            Self::Broker(path) => broker(path, described, port),
            Self::NatsServer(path) => nats_server(path, described, port, folder),
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
    }
    if let Some(bytes) = described.max_payload {
        command.args(["--max-payload", &bytes.to_string()]);
    }
    command
}

fn nats_server(path: &PathBuf, described: &Description, port: u16, folder: &Folder) -> Command {
    let mut command = Command::new(path);
    // Its "any free port" is -1; 0 is the default port.
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
    if let Some(tls) = &described.tls {
        command.arg("--tls");
        command.arg("--tlscert").arg(&tls.certificate);
        command.arg("--tlskey").arg(&tls.key);
        if let Some(ca) = &tls.clients_ca {
            command.arg("--tlsverify").arg("--tlscacert").arg(ca);
        }
    }
    if let Some(bytes) = described.max_payload {
        // There is no flag for it.
        let file = folder.write("nats-server.conf", &format!("max_payload: {bytes}\n"));
        command.arg("--config").arg(file);
    }
    command
}

/// A running server, killed when dropped; what it wrote is shown if the test fails.
pub(crate) struct Server {
    program: Program,
    described: Description,
    folder: Folder,
    running: Option<Child>,
    port: u16,
    written: Arc<Mutex<String>>,
}

impl Server {
    /// A server without authentication or TLS.
    pub(crate) fn start() -> Self {
        Self::described(Description::default())
    }

    pub(crate) fn described(described: Description) -> Self {
        let mut server = Self {
            program: Program::chosen(),
            described,
            folder: Folder::new(),
            running: None,
            port: 0,
            written: Arc::default(),
        };
        server.start_again();
        server
    }

    /// Starts it on the port it had, or on any free one the first time; returns when
    /// it answers.
    pub(crate) fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server is running");
        let mut command = self
            .program
            .command(&self.described, self.port, &self.folder);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = child.stderr.take().expect("stderr is a pipe");
        self.running = Some(child);

        let (listening, told) = mpsc::channel();
        let written = Arc::clone(&self.written);
        std::thread::spawn(move || read_log(stderr, &written, &listening));
        self.port = match told.recv_timeout(START) {
            Ok(port) => port,
            Err(RecvTimeoutError::Disconnected) => panic!("{command:?} ended"),
            Err(RecvTimeoutError::Timeout) => panic!("{command:?} does not listen"),
        };
        self.expect_info();
    }

    /// A server greets each client first, in plain text also where TLS follows.
    fn expect_info(&self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut stream = TcpStream::connect_timeout(&address, START).expect("it accepts");
        stream.set_read_timeout(Some(START)).expect("a time limit");
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).expect("it greets");
        assert_eq!(greeting, *b"INFO ");
    }

    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.running.take().expect("the server is running");
        child.kill().expect("it can be killed");
        child.wait().expect("it can be waited for");
    }

    /// Asks it to end, as a service manager would, and waits until it has.
    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};

        let mut child = self.running.take().expect("the server is running");
        kill_process(Pid::from_child(&child), Signal::TERM).expect("it can be signalled");
        child.wait().expect("it can be waited for");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            eprintln!("--- the server's stderr ---\n{written}---");
        }
    }
}

/// Keeps what the server writes and tells the port once it listens.
fn read_log(stderr: ChildStderr, written: &Mutex<String>, listening: &Sender<u16>) {
    for line in BufReader::new(stderr).lines() {
        let Ok(line) = line else { break };
        if let Some(port) = port_told(&line) {
            // Whoever waited may have given up.
            let _ = listening.send(port);
        }
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push_str(&line);
        written.push('\n');
    }
}

/// The port in `listening on 127.0.0.1:PORT`, or in nats-server's `Listening for
/// client connections on 127.0.0.1:PORT`.
fn port_told(line: &str) -> Option<u16> {
    let (before, after) = line.split_once(" on 127.0.0.1:")?;
    let said = before.ends_with("listening") || before.ends_with("for client connections");
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|_| said)
}

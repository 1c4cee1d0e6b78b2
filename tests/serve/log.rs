//! The log: it does not block the server, and clients cannot forge lines.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;
use crate::server::{PATIENCE, Server, program};

/// A server whose standard error is read only on request.
struct Unread {
    child: Child,
    stderr: BufReader<ChildStderr>,
    port: u16,
}

impl Unread {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the executable starts");
        let stderr = child.stderr.take().expect("it is piped");
        let mut server = Self {
            child,
            stderr: BufReader::new(stderr),
            port: 0,
        };
        let line = server.read_until("client connections on ");
        let port = line.trim().rsplit(':').next().expect("a port");
        server.port = port.parse().expect("a number");
        server
    }

    /// Reads up to a line that contains `text`, and returns the line.
    fn read_until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("it is UTF-8");
            assert!(read > 0, "no {text:?} in the log");
            if line.contains(text) {
                return line;
            }
        }
    }

    fn connect(&self) -> Client {
        let mut client = Client::to(self.port);
        client.read_info();
        client.connect();
        client
    }

    /// Makes the server log much more than its pipe and its queue hold.
    fn flood(&self) {
        let name = "x".repeat(3000);
        let connect = format!("CONNECT {{\"verbose\":false,\"name\":\"{name}\"}}\r\n");
        let mut client = self.connect();
        for _ in 0..100 {
            client.send(connect.repeat(10));
            client.sync();
        }
    }

    fn signal(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
    }

    /// Waits for its end without reading. Returns its exit code.
    fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_unread_log_does_not_block_the_server() {
    let mut server = Unread::start(&["--log-level", "debug"]);
    let mut bystander = server.connect();
    server.flood();
    for _ in 0..10 {
        server.connect();
        bystander.sync();
    }
    server.signal();
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn dropped_lines_are_counted() {
    let mut server = Unread::start(&["--log-level", "debug"]);
    server.flood();
    let line = server.read_until("log lines because the log was read too slowly");
    assert!(line.contains("ERROR"), "{line}");
    server.connect();
    // The log continues.
    server.signal();
    server.read_until("drained");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn refused_connections_are_logged_a_few_times_a_second() {
    let mut server = Unread::start(&["--max-connections", "1"]);
    let mut bystander = server.connect();
    let start = Instant::now();
    for _ in 0..2000 {
        TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
    }
    bystander.sync();
    server.read_until("more connections were refused");
    let seconds = start.elapsed().as_secs();
    server.signal();
    assert_eq!(server.wait(), Some(0));
    let mut rest = String::new();
    server.stderr.read_to_string(&mut rest).expect("UTF-8");
    let lines = rest.lines().count() as u64;
    assert!(lines < 10 + 6 * (seconds + 1), "{rest}");
    bystander.read_to_end();
}

#[test]
fn a_name_forges_no_line() {
    let server = Server::start(&["--log-level", "debug"]);
    let mut client = server.open();
    let connect =
        r#"CONNECT {"verbose":false,"name":"a\n2026-01-01T00:00:00Z ERROR forged\u001b[2J\u009b"}"#;
    client.send(connect);
    client.send("\r\n");
    client.sync();
    let line = server.wait_for_log("forged");
    assert!(line.contains("DEBUG"), "{line:?}");
    assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
}

/// The last lines contain the reason for the end.
#[test]
fn the_end_is_logged() {
    let mut server = Unread::start(&["--log-level", "debug"]);
    for _ in 0..20 {
        server.connect();
    }
    server.signal();
    assert_eq!(server.wait(), Some(0));
    let mut rest = String::new();
    server.stderr.read_to_string(&mut rest).expect("UTF-8");
    assert!(rest.trim_end().ends_with("drained"), "{rest}");
}

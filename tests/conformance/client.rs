//! A client that sends the content of a row.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::table::{CLOSED, Part, matches};

/// Timeout of an answer: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Client {
    stream: TcpStream,
    /// Output other than the answers to this client's own PINGs.
    answer: Vec<u8>,
    closed: bool,
}

impl Client {
    pub(crate) fn open(address: &str, connect: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("it is TCP");
        let mut client = Self {
            stream,
            answer: Vec::new(),
            closed: false,
        };
        client.read_until(|greeting| greeting.ends_with(b"\r\n"));
        assert!(client.answer.starts_with(b"INFO {"), "the server greets");
        client.answer.clear();
        if !connect.is_empty() {
            client.send(connect.as_bytes());
            client.send(b"\r\n");
        }
        client
    }

    /// The server may close the connection at any byte.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a part in pieces of `at_a_time` bytes, and returns when it has been executed.
    pub(crate) fn carry_out(&mut self, part: &Part, at_a_time: usize) {
        for bytes in part.bytes.chunks(at_a_time) {
            self.send(bytes);
        }
        self.sync(part.pings());
    }

    /// Returns when PING is answered, after `others` other PONGs, and drops that answer.
    fn sync(&mut self, others: usize) {
        const PONG: &[u8] = b"PONG\r\n";
        let before = self.answer.len();
        let nth = |answer: &[u8]| {
            let mut places = (before..answer.len()).filter(|&at| answer[at..].starts_with(PONG));
            places.nth(others)
        };
        self.send(b"PING\r\n");
        self.read_until(|answer| nth(answer).is_some());
        if let Some(place) = nth(&self.answer) {
            self.answer.drain(place..place + PONG.len());
        }
    }

    /// Waits for an answer caused by other clients, or by another thread of the server.
    pub(crate) fn wait_for(&mut self, answer: &[u8]) {
        self.read_until(|found| matches(answer, found));
    }

    /// Returns all output, including the end if there was one.
    pub(crate) fn end(mut self) -> Vec<u8> {
        if !self.closed {
            self.sync(0);
        }
        // A server sends PING to idle clients, which may include this one on a busy machine.
        let lines = self.answer.split_inclusive(|&byte| byte == b'\n');
        let mut answer = lines
            .filter(|line| *line != b"PING\r\n")
            .collect::<Vec<_>>();
        if self.closed {
            answer.push(CLOSED);
        }
        let answer = answer.concat();
        self.leave();
        answer
    }

    /// Ends all subscriptions: a server notices the end of a connection only later, and the next
    /// row would find stale members in its queue groups.
    fn leave(&mut self) {
        for sid in 1..=9 {
            self.send(format!("UNSUB {sid}\r\n").as_bytes());
        }
        self.answer.clear();
        self.sync(0);
    }

    fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut chunk = vec![0; 64 * 1024];
        while !self.closed && !enough(&self.answer) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.stream.set_read_timeout(Some(left)).expect("not zero");
            match self.stream.read(&mut chunk) {
                Ok(0) => self.closed = true,
                Ok(read) => self.answer.extend_from_slice(&chunk[..read]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => self.closed = true,
                },
            }
        }
    }
}

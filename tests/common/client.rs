//! A client that sends exactly the given bytes.

#![allow(dead_code, reason = "each test executable uses a part")]

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::server::{PATIENCE, Server};

pub(crate) const CONNECT: &[u8] = b"CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\n";

/// A part of a server's output.
#[derive(Debug)]
pub(crate) enum Frame {
    /// MSG or HMSG.
    Message {
        subject: String,
        /// The sid of the subscription.
        sid: String,
        reply: Option<String>,
        /// The header block, empty in MSG, and the payload.
        headers: Vec<u8>,
        payload: Vec<u8>,
    },
    /// Any other line.
    Line(String),
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// Bytes that were read and not yet parsed.
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn to(port: u16) -> Self {
        Self::over(TcpStream::connect(("127.0.0.1", port)).expect("the server listens"))
    }

    /// Returns a client with room for about `bytes` of unread input. Reducing the room later would
    /// make the system drop input in transit.
    pub(crate) fn with_room(port: u16, bytes: usize) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a file is left");
        socket.set_recv_buffer_size(bytes).expect("it is TCP");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        socket.connect(&address.into()).expect("the server listens");
        Self::over(socket.into())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&stream, Some(PATIENCE)).expect("a time that is not zero");
        }
        stream.set_nodelay(true).expect("it is TCP");
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("it is read");
    }

    /// Sends bytes that the server may not read completely.
    pub(crate) fn send_in_vain(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub(crate) fn connect(&mut self) {
        self.send(CONNECT);
        self.sync();
    }

    /// Returns when everything sent before has been executed.
    pub(crate) fn sync(&mut self) {
        self.send("PING\r\n");
        loop {
            match self.line().as_str() {
                "PONG" => return,
                // A server may send PING at any time.
                line => assert_eq!(line, "PING"),
            }
        }
    }

    /// Reads more; returns false at the end.
    fn fill(&mut self) -> bool {
        let mut chunk = vec![0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(read) => {
                self.buffer.extend_from_slice(&chunk[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("{error} after {:?}", self.buffer.escape_ascii().to_string()),
        }
    }

    /// Returns the next line without its end.
    pub(crate) fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return line;
            }
            let buffer = self.buffer.escape_ascii().to_string();
            assert!(self.fill(), "the connection ends with {buffer:?}");
        }
    }

    /// Returns the next frame except PING, which a server may send at any time; `None` at the end,
    /// even within a frame.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        loop {
            match self.any_frame() {
                Some(Frame::Line(line)) if line == "PING" => {}
                frame => return frame,
            }
        }
    }

    /// Returns the next frame; `None` at the end, even within a frame.
    pub(crate) fn any_frame(&mut self) -> Option<Frame> {
        let end = loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                break end;
            }
            if !self.fill() {
                return None;
            }
        };
        let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let mut words = line.split(' ');
        let verb = words.next();
        if !matches!(verb, Some("MSG" | "HMSG")) {
            self.buffer.drain(..end + 2);
            return Some(Frame::Line(line));
        }
        let words: Vec<_> = words.collect();
        let numbers = if verb == Some("HMSG") { 2 } else { 1 };
        let size = |from_end: usize| {
            let word = words[words.len() - from_end];
            word.parse::<usize>().expect("a length")
        };
        let (head, total) = (if numbers == 2 { size(2) } else { 0 }, size(1));
        let start = end + 2;
        while self.buffer.len() < start + total + 2 {
            if !self.fill() {
                return None;
            }
        }
        let frame = Frame::Message {
            subject: words[0].to_owned(),
            sid: words[1].to_owned(),
            reply: (words.len() == 3 + numbers).then(|| words[2].to_owned()),
            headers: self.buffer[start..start + head].to_vec(),
            payload: self.buffer[start + head..start + total].to_vec(),
        };
        self.buffer.drain(..start + total + 2);
        Some(frame)
    }

    /// Returns a second client for the same connection, to write while the first one reads.
    pub(crate) fn writing_half(&self) -> Self {
        Self {
            stream: self.stream.try_clone().expect("a file is left"),
            buffer: Vec::new(),
        }
    }

    /// Makes the connection end with a reset when it is dropped, instead of a regular end.
    pub(crate) fn end_with_reset(&self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket
            .set_linger(Some(std::time::Duration::ZERO))
            .expect("it is TCP");
    }

    pub(crate) fn read_info(&mut self) -> Value {
        let line = self.line();
        let json = line.strip_prefix("INFO ").expect("INFO comes first");
        serde_json::from_str(json).expect("it is JSON")
    }

    /// Returns the next `length` bytes, or fewer at the end.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length && self.fill() {}
        let length = length.min(self.buffer.len());
        self.buffer.drain(..length).collect()
    }

    /// Asserts that exactly these bytes come next, except for a PING before them, which a server
    /// may send at any time.
    pub(crate) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        const PING: &[u8] = b"PING\r\n";
        let expected = bytes.as_ref();
        while self.buffer.len() < expected.len().min(PING.len()) && self.fill() {}
        if self.buffer.starts_with(PING) && !expected.starts_with(PING) {
            self.buffer.drain(..PING.len());
        }
        let found = self.take(expected.len());
        if found != expected {
            let [found, expected] =
                [&found[..], expected].map(|bytes| bytes.escape_ascii().to_string());
            panic!("found {found:.300}, expected {expected:.300}");
        }
    }

    /// Asserts that nothing more comes.
    pub(crate) fn expect_end(&mut self) {
        while self.fill() {}
        assert_eq!(self.buffer.escape_ascii().to_string(), "");
    }

    /// Reads everything until the end.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        while self.fill() {}
        std::mem::take(&mut self.buffer)
    }
}

/// Clients on all workers that send each other messages and must not be disturbed.
pub(crate) struct Bystanders {
    publisher: Client,
    subscribers: Vec<Client>,
    sent: usize,
}

impl Bystanders {
    pub(crate) fn of(server: &Server) -> Self {
        let subscribers = std::iter::repeat_with(|| {
            let mut subscriber = server.connect();
            subscriber.send("SUB bystanders.* 7\r\n");
            subscriber.sync();
            subscriber
        });
        Self {
            publisher: server.connect(),
            subscribers: subscribers.take(4).collect(),
            sent: 0,
        }
    }

    /// Sends messages and checks that each reaches every client, once and in order.
    pub(crate) fn check(&mut self) {
        let mut sent = String::new();
        let mut expected = Vec::new();
        for _ in 0..100 {
            self.sent += 1;
            let payload = self.sent.to_string();
            let length = payload.len();
            let _ = write!(sent, "PUB bystanders.a {length}\r\n{payload}\r\n");
            expected.push(format!("MSG bystanders.a 7 {length}\r\n{payload}\r\n"));
        }
        self.publisher.send(sent);
        for subscriber in &mut self.subscribers {
            for message in &expected {
                subscriber.expect(message);
            }
        }
    }
}

//! WebSocket clients: one that follows the protocol, and one that sends exactly the given bytes.

use std::io::{Read, Write};
use std::net::TcpStream;

use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderName;
use tungstenite::{Error, Message, WebSocket};

use crate::client::{CONNECT, Client};
use crate::server::{PATIENCE, Server};

/// Returns a server's WebSocket port.
pub(crate) fn port(server: &Server) -> u16 {
    let line = server.wait_for_log("websocket clients on ws");
    let port = line.rsplit_once(':').map(|(_, port)| port.trim().parse());
    port.and_then(Result::ok)
        .expect("a port ends the line: {line}")
}

pub(crate) fn serve(more: &[&str]) -> Server {
    Server::start(&[&["--websocket", "127.0.0.1:0"], more].concat())
}

/// A client that looks to the server like a web page.
pub(crate) struct Page<S = TcpStream> {
    pub(crate) socket: WebSocket<S>,
    buffer: Vec<u8>,
}

impl Page {
    pub(crate) fn open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let stream = TcpStream::connect(("127.0.0.1", port(server))).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        stream.set_nodelay(true).expect("it is TCP");
        Page::over(stream, headers)
    }

    /// Returns a client that has sent CONNECT.
    pub(crate) fn connect(server: &Server) -> Self {
        let mut page = Self::open(server, &[]).expect("it is accepted");
        assert!(page.line().starts_with("INFO {"));
        page.send(CONNECT);
        page.sync();
        page
    }
}

impl<S: Read + Write> Page<S> {
    pub(crate) fn over(stream: S, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = "ws://localhost/".into_client_request()?;
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            let value = value.parse().expect("it can be a value");
            request.headers_mut().insert(name, value);
        }
        let (socket, _) = tungstenite::client(request, stream).map_err(|error| match error {
            tungstenite::HandshakeError::Failure(error) => error,
            tungstenite::HandshakeError::Interrupted(_) => panic!("the handshake takes too long"),
        })?;
        Ok(Self {
            socket,
            buffer: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let message = Message::binary(bytes.as_ref().to_vec());
        self.socket.send(message).expect("it is read");
    }

    pub(crate) fn sync(&mut self) {
        self.send("PING\r\n");
        self.expect("PONG\r\n");
    }

    /// Reads a message; returns the code if it is a close frame.
    fn fill(&mut self) -> Option<u16> {
        match self.socket.read().expect("a message") {
            Message::Binary(bytes) => self.buffer.extend_from_slice(&bytes),
            Message::Close(close) => return close.map(|close| close.code.into()),
            Message::Pong(bytes) => {
                self.buffer.extend_from_slice(b"pong ");
                self.buffer.extend_from_slice(&bytes);
            }
            other => panic!("{other:?}"),
        }
        None
    }

    pub(crate) fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.drain(..end + 2).collect();
                return String::from_utf8(line).expect("a line is text");
            }
            assert_eq!(self.fill(), None);
        }
    }

    pub(crate) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let expected = bytes.as_ref();
        while self.buffer.len() < expected.len() {
            assert_eq!(self.fill(), None);
        }
        let found: Vec<u8> = self.buffer.drain(..expected.len()).collect();
        assert!(
            found == expected,
            "found {:.300}",
            found.escape_ascii().to_string()
        );
    }

    /// Asserts that `bytes` come next, and returns the code that the connection ends with.
    pub(crate) fn expect_close(&mut self, bytes: impl AsRef<[u8]>) -> u16 {
        loop {
            if let Some(code) = self.fill() {
                let found = self.buffer.escape_ascii().to_string();
                assert_eq!(found, bytes.as_ref().escape_ascii().to_string());
                return code;
            }
        }
    }
}

/// Returns an upgrade request, with `more` header lines.
pub(crate) fn request(more: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

/// Opens a connection that has read INFO and sent CONNECT, for frames that the test builds. Also
/// returns the header of the HTTP answer.
pub(crate) fn raw(server: &Server, more: &str) -> (Client, Vec<String>) {
    let mut client = Client::to(port(server));
    client.send(request(more));
    let mut answer = Vec::new();
    loop {
        match client.line() {
            line if line.is_empty() => break,
            line => answer.push(line),
        }
    }
    assert_eq!(answer[0], "HTTP/1.1 101 Switching Protocols");
    // INFO, which is compressed if that was negotiated.
    let head = client.take(4);
    assert_eq!((head[0] & 0x8f, head[1]), (0x82, 126));
    client.take(usize::from(u16::from_be_bytes([head[2], head[3]])));
    client.send(frame(0x82, b"CONNECT {\"verbose\":false}\r\n"));
    (client, answer)
}

/// Returns a client's frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [3, 1, 4, 159];
    let length = payload.len();
    let mut frame = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => frame.push(0x80 | short),
        (_, Ok(short)) => {
            frame.push(0xfe);
            frame.extend(short.to_be_bytes());
        }
        _ => {
            frame.push(0xff);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}

/// Returns a compressed message with unchanged content: stored blocks.
pub(crate) fn stored(text: &[u8]) -> Vec<u8> {
    let mut blocks = Vec::new();
    for part in text.chunks(65_535) {
        let length = u16::try_from(part.len()).expect("a block has no more");
        blocks.push(0);
        blocks.extend(length.to_le_bytes());
        blocks.extend((!length).to_le_bytes());
        blocks.extend(part);
    }
    blocks.push(0);
    blocks
}

/// Returns a server's close frame.
pub(crate) fn close(code: u16, why: &str) -> Vec<u8> {
    let length = u8::try_from(2 + why.len()).expect("it is short");
    [&[0x88, length][..], &code.to_be_bytes(), why.as_bytes()].concat()
}

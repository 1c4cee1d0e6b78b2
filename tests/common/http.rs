//! One HTTP request to the server's monitoring port.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::server::PATIENCE;

/// Sends `text` unchanged, and returns the response's status line and body.
pub(crate) fn request(port: u16, text: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    stream.write_all(text).expect("it reads");
    let mut answer = String::new();
    // Unread input of a bad request may cause a reset.
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.lines().next().unwrap_or_default().to_owned();
    (status, body.to_owned())
}

pub(crate) fn get(port: u16, path: &str) -> (String, String) {
    let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    request(port, text.as_bytes())
}

//! Refused upgrade requests and their answers.

use std::time::{Duration, Instant};

use crate::client::{Bystanders, Client};
use crate::page::{Page, port, request, serve};
use crate::server::Server;

/// Sends `text` and returns the whole answer.
fn answer(server: &Server, text: &str) -> String {
    let mut client = Client::to(port(server));
    client.send_in_vain(text.as_bytes());
    String::from_utf8(client.read_to_end()).expect("text")
}

#[test]
fn bad_upgrade_requests_are_refused_with_a_reason() {
    let server = serve(&[]);
    let mut bystanders = Bystanders::of(&server);
    for (part, other, status, told) in [
        ("GET", "POST", "405", "request method must be GET"),
        ("Version: 13", "Version: 8", "400", "invalid version"),
        ("Version: 13", "X: 1", "400", "invalid version"),
        (
            "Upgrade: websocket",
            "Upgrade: h2c",
            "400",
            "header 'Upgrade'",
        ),
        (
            "Connection: Upgrade",
            "Connection: close",
            "400",
            "header 'Connection'",
        ),
        ("Sec-WebSocket-Key", "X", "400", "key missing"),
        ("Host: localhost\r\n", "", "400", "'Host' missing"),
        ("GET / ", "GET /mqtt ", "400", "no MQTT"),
        ("GET / ", "GET /a/leafnode ", "400", "no leaf nodes"),
        ("\r\n\r\n", "\r\n\r\nPING\r\n", "400", "before handshake"),
        (
            "GET / HTTP/1.1\r\n",
            "CONNECT {}\r\n",
            "400",
            "not an HTTP request",
        ),
        (
            "GET / HTTP/1.1\r\n",
            "\x16\x03\x01",
            "400",
            "not an HTTP request",
        ),
    ] {
        let answer = answer(&server, &request("").replacen(part, other, 1));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(told),
            "{other:?}: {answer}"
        );
    }
    bystanders.check();
    Page::connect(&server).sync();
}

#[test]
fn a_request_is_bounded() {
    // The timeout does not end it.
    let server = serve(&["--websocket-handshake-timeout", "60"]);
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(1 << 20));
    let many = request(&"X: 1\r\n".repeat(100));
    for text in [endless, many] {
        let answer = answer(&server, &text);
        // Unread input may turn the end into a reset.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }
    Page::connect(&server).sync();
}

#[test]
fn a_slow_request_ends_in_time() {
    let server = serve(&["--websocket-handshake-timeout", "0.3"]);
    let start = Instant::now();
    let mut silent = Client::to(port(&server));
    let mut slow = Client::to(port(&server));
    let text = request("X: y\r\n");
    for byte in text.bytes().take(text.len() - 1) {
        slow.send_in_vain(&[byte]);
        std::thread::sleep(Duration::from_millis(10));
    }
    slow.read_to_end();
    silent.expect_end();
    assert!(start.elapsed() < Duration::from_secs(10));
    let mut page = Page::connect(&server);
    std::thread::sleep(Duration::from_millis(600));
    page.sync();
}

#[test]
fn pages_from_elsewhere_are_refused() {
    let own = |server: &Server| format!("http://localhost:{}", port(server));
    let allowed = "http://a.example,https://b.example:8443";
    for (flags, origin, is_let_in) in [
        (&[][..], Some("http://anywhere"), true),
        (&["--websocket-same-origin"], None, true),
        (
            &["--websocket-same-origin"],
            Some("http://a.example"),
            false,
        ),
        (&["--websocket-same-origin"], Some("null"), false),
        (
            &["--websocket-allowed-origin", allowed],
            Some("http://a.example"),
            true,
        ),
        (
            &["--websocket-allowed-origin", allowed],
            Some("https://b.example:8443"),
            true,
        ),
        (
            &["--websocket-allowed-origin", allowed],
            Some("https://a.example"),
            false,
        ),
        (
            &["--websocket-allowed-origin", allowed],
            Some("http://a.example:81"),
            false,
        ),
        (&["--websocket-allowed-origin", allowed], None, true),
    ] {
        let server = serve(flags);
        let line = origin.map(|origin| format!("Origin: {origin}\r\n"));
        let mut client = Client::to(port(&server));
        client.send(request(&line.unwrap_or_default()));
        let status = client.line();
        let expected = if is_let_in {
            "HTTP/1.1 101 Switching Protocols"
        } else {
            "HTTP/1.1 403 Forbidden"
        };
        assert_eq!(status, expected, "{flags:?} {origin:?}");
    }
    let server = serve(&["--websocket-same-origin"]);
    let host = format!("localhost:{}", port(&server));
    let headers = [("host", host.as_str()), ("origin", &own(&server))];
    assert!(Page::open(&server, &headers).is_ok());
}

#[test]
fn one_connection_too_many_is_refused() {
    let server = serve(&["--max-connections", "1"]);
    let mut page = Page::connect(&server);
    let mut other = Client::to(port(&server));
    other.expect_end();
    page.sync();
}

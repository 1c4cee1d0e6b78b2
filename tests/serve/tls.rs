//! TLS, with right and wrong files.

use std::io::{Read, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::certificates::Files;
use crate::client::{Bystanders, Client};
use crate::server::{Server, program};

fn expect(stream: &mut impl Read, text: &[u8]) {
    let mut found = vec![0; text.len()];
    stream.read_exact(&mut found).expect("it comes");
    assert_eq!(found, text);
}

#[test]
fn messages_of_all_sizes_go_by_tls() {
    let files = Files::new("tls");
    let server = files.server(&[]);
    let mut first = files.client(&server, false);
    let mut second = files.client(&server, false);
    for client in [&mut first, &mut second] {
        client
            .write_all(b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPING\r\n")
            .expect("written");
        expect(client, b"PONG\r\n");
    }
    for size in [1, 5000, 100_000, 1 << 20] {
        let payload = vec![b'x'; size];
        let frame = |verb: &str| {
            let head = format!("{verb} {size}\r\n");
            [head.as_bytes(), &payload, b"\r\n"].concat()
        };
        first.write_all(&frame("PUB a")).expect("written");
        for client in [&mut first, &mut second] {
            expect(client, &frame("MSG a 1"));
        }
    }
}

#[test]
fn a_plaintext_client_gets_an_error() {
    let files = Files::new("clear");
    let server = files.server(&[]);
    let mut client = server.open();
    client.send("CONNECT {}\r\nPING\r\n");
    client.expect("-ERR 'Secure Connection - TLS Required'\r\n");
    client.expect_end();
    // Bytes that look like TLS but are not.
    let mut client = server.open();
    client.send(b"\x16\x03\x01\xff\xff nonsense nonsense");
    client
        .stream
        .shutdown(std::net::Shutdown::Write)
        .expect("open");
    client.read_to_end();
    let mut fine = files.client(&server, false);
    fine.write_all(b"PING\r\n").expect("written");
    expect(&mut fine, b"PONG\r\n");
}

#[test]
fn a_handshake_has_to_come_in_time() {
    let files = Files::new("late");
    let server = files.server(&["--tls-timeout", "0.2"]);
    let mut client = server.open();
    client.read_to_end();
}

#[test]
fn the_time_for_credentials_starts_after_the_handshake() {
    let files = Files::new("slow");
    let server = files.server(&["--auth-timeout", "0.3", "--token", "t"]);
    let client = server.open();
    std::thread::sleep(Duration::from_millis(1000));
    let mut client = files.encrypt(client, false);
    client
        .write_all(b"CONNECT {\"auth_token\":\"t\",\"verbose\":false}\r\nPING\r\n")
        .expect("written");
    expect(&mut client, b"PONG\r\n");
    let mut silent = files.encrypt(server.open(), false);
    expect(&mut silent, b"-ERR 'Authentication Timeout'\r\n");
}

#[test]
fn certificates_of_clients_are_asked_for() {
    let files = Files::new("mutual");
    let server = files.server(&["--tls-ca", &files.path("ca.pem")]);
    let mut known = files.client(&server, true);
    known.write_all(b"PING\r\n").expect("written");
    expect(&mut known, b"PONG\r\n");
    let mut unknown = files.client(&server, false);
    let _ = unknown.write_all(b"PING\r\n");
    let mut found = Vec::new();
    assert!(unknown.read_to_end(&mut found).is_err() || found.is_empty());
    let line = server.wait_for_log("the handshake failed: ");
    assert!(
        line.contains("WARN client 2 at 127.0.0.1:") && line.contains("no certificate"),
        "{line}"
    );
    known.write_all(b"PING\r\n").expect("written");
    expect(&mut known, b"PONG\r\n");
}

/// Returns the next line over TLS, without its end.
fn line(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("it comes");
        line.push(byte[0]);
    }
    String::from_utf8(line).expect("text")
}

fn says_all(stream: &mut (impl Read + Write)) {
    stream
        .write_all(b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n")
        .expect("written");
    expect(stream, b"MSG a 1 1\r\nx\r\nPONG\r\n");
}

#[test]
fn tls_may_have_to_come_first() {
    let files = Files::new("first");
    // Allowing plaintext then has no effect.
    let flags = ["--tls-handshake-first", "--tls-allow-clear"];
    let server = files.server(&[&flags[..], &["--tls-timeout", "1"]].concat());
    let mut first = files.encrypt(Client::to(server.port), false);
    let info = line(&mut first);
    assert!(info.contains("\"tls_required\":true"), "{info}");
    says_all(&mut first);
    // A client that waits for INFO gets nothing.
    let mut waits = Client::to(server.port);
    let told = waits.read_to_end();
    assert!(!told.starts_with(b"INFO"), "{}", told.escape_ascii());
    let mut clear = Client::to(server.port);
    clear.send("CONNECT {}\r\n");
    clear.expect("-ERR 'Secure Connection - TLS Required'\r\n");
    clear.expect_end();
    says_all(&mut first);
}

#[test]
fn tls_comes_first_if_the_client_begins_it() {
    let files = Files::new("auto");
    for delay in ["auto", "0.3"] {
        let server = files.server(&["--tls-handshake-first", delay]);
        let start = Instant::now();
        let mut second = Client::to(server.port);
        let info = second.read_info();
        let waited = start.elapsed();
        assert_eq!(info["tls_required"], true);
        let expected = if delay == "auto" { 50 } else { 300 };
        assert!(waited >= Duration::from_millis(expected), "{waited:?}");
        says_all(&mut files.encrypt(second, false));
        let start = Instant::now();
        let mut first = files.encrypt(Client::to(server.port), false);
        let info = line(&mut first);
        assert!(info.contains("\"tls_required\":true"), "{info}");
        assert!(delay == "auto" || start.elapsed() < Duration::from_millis(300));
        says_all(&mut first);
        std::thread::sleep(Duration::from_millis(400));
        first.write_all(b"PING\r\n").expect("written");
        expect(&mut first, b"PONG\r\n");
    }
}

#[test]
fn clients_may_do_without_tls_where_that_is_allowed() {
    let files = Files::new("allowed");
    for more in [&[][..], &["--tls-handshake-first", "auto"]] {
        let server = files.server(&[&["--tls-allow-clear", "--tls-timeout", "0.5"], more].concat());
        let mut clear = Client::to(server.port);
        let info = clear.read_info();
        assert!(info.get("tls_required").is_none());
        assert_eq!(info["tls_available"], true);
        clear.connect();
        let mut encrypted = Client::to(server.port);
        encrypted.read_info();
        let mut encrypted = files.encrypt(encrypted, false);
        says_all(&mut encrypted);
        clear.send("SUB a 1\r\n");
        clear.sync();
        encrypted
            .write_all(b"PUB a 5\r\nhello\r\n")
            .expect("written");
        clear.expect("MSG a 1 5\r\nhello\r\n");
        // A client that sends nothing for longer than the handshake timeout.
        let mut silent = Client::to(server.port);
        silent.read_info();
        std::thread::sleep(Duration::from_millis(1200));
        silent.connect();
    }
    // The timeout for credentials still applies.
    let server = files.server(&["--tls-allow-clear", "--auth-timeout", "0.3", "--token", "t"]);
    let mut silent = server.open();
    silent.expect("-ERR 'Authentication Timeout'\r\n");
    silent.expect_end();
}

#[test]
fn files_of_no_use_are_named() {
    let files = Files::new("files");
    for (certificate, key, named) in [
        ("missing.pem", "server.key", "missing.pem"),
        ("server.pem", "missing.key", "missing.key"),
        ("nothing.pem", "server.key", "nothing.pem"),
        ("server.pem", "nothing.pem", "nothing.pem"),
        ("server.pem", "client.key", "client.key"),
    ] {
        let output = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--tls-cert", &files.path(certificate)])
            .args(["--tls-key", &files.path(key)])
            .output()
            .expect("the executable starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(named), "{named} is not in {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    Bystanders::of(&Server::start(&[])).check();
}

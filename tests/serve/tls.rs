//! TLS, with the right files and with wrong ones.

use std::io::{Read, Write};
use std::process::Command;

use crate::certificates::Files;
use crate::client::Bystanders;
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
fn a_client_in_clear_is_told_so() {
    let files = Files::new("clear");
    let server = files.server(&[]);
    let mut client = server.open();
    client.send("CONNECT {}\r\nPING\r\n");
    client.expect("-ERR 'Secure Connection - TLS Required'\r\n");
    client.expect_end();
    // One that looks like TLS and is not.
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
    let server = files.server(&["--auth-timeout", "0.2"]);
    let mut client = server.open();
    client.read_to_end();
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
    known.write_all(b"PING\r\n").expect("written");
    expect(&mut known, b"PONG\r\n");
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

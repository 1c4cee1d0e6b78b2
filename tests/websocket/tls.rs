//! WebSocket over TLS, and combinations of flags.

use std::process::Command;

use crate::certificates::{Encrypted, Files};
use crate::client::{CONNECT, Client};
use crate::page::{Page, port, request, serve};
use crate::server::{Server, program};

fn encrypted(files: &Files, server: &Server) -> Page<Encrypted> {
    let stream = files.encrypt(Client::to(port(server)), false);
    Page::over(stream, &[]).expect("it is accepted")
}

fn start(files: &Files, more: &[&str]) -> Server {
    let (certificate, key) = (files.path("server.pem"), files.path("server.key"));
    let flags = [
        "--websocket-tls-cert",
        &certificate,
        "--websocket-tls-key",
        &key,
    ];
    serve(&[&flags, more].concat())
}

#[test]
fn messages_of_all_sizes_go_by_tls() {
    let files = Files::new("websocket");
    let server = start(&files, &[]);
    let mut page = encrypted(&files, &server);
    let info = page.line();
    assert!(info.contains("\"tls_required\":true"), "{info}");
    page.send(CONNECT);
    page.send("SUB a 1\r\n");
    page.sync();
    let mut client = server.connect();
    for size in [1, 5000, 100_000, 1 << 20] {
        let payload = vec![b'x'; size];
        let framed = |verb: &str| {
            let head = format!("{verb} {size}\r\n");
            [head.as_bytes(), &payload, b"\r\n"].concat()
        };
        page.send(framed("PUB a"));
        page.expect(framed("MSG a 1"));
        client.send(framed("PUB a"));
        page.expect(framed("MSG a 1"));
    }
}

#[test]
fn a_plaintext_page_gets_advice() {
    let files = Files::new("websocket-clear");
    let server = start(&files, &[]);
    let mut client = Client::to(port(&server));
    client.send(request(""));
    let answer = String::from_utf8(client.read_to_end()).expect("text");
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("connect to wss://"),
        "{answer}"
    );
    encrypted(&files, &server).line();
}

#[test]
fn a_handshake_of_tls_has_to_come_in_time() {
    let files = Files::new("websocket-late");
    let server = start(&files, &["--websocket-handshake-timeout", "0.2"]);
    Client::to(port(&server)).read_to_end();
}

#[test]
fn flags_that_make_no_sense_are_named() {
    for (flags, code, told) in [
        (&["--websocket-same-origin"][..], 2, "--websocket "),
        (&["--websocket-tls-cert", "x"], 2, "--websocket-tls-key"),
        (
            &[
                "--websocket",
                "127.0.0.1:0",
                "--websocket-allowed-origin",
                "a.example",
            ],
            2,
            "http://HOST[:PORT]",
        ),
        (&["--websocket", "192.0.2.1:80"], 1, "with --websocket"),
        (
            &[
                "--websocket",
                "127.0.0.1:0",
                "--websocket-tls-cert",
                "/x",
                "--websocket-tls-key",
                "/y",
            ],
            1,
            "/x",
        ),
    ] {
        let output = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .output()
            .expect("the executable starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {text}");
        assert!(text.contains(told), "{told} is not in {text}");
    }
}

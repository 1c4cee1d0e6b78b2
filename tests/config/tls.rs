//! Reloads with TLS.

use std::io::{Read, Write};

use crate::certificates::Files;
use crate::client::Client;
use crate::file::File;
use crate::reload::{RELOADED, reload};
use crate::server::Server;

/// Returns a file with TLS by the certificate of `files`, followed by `more`.
fn with_tls(files: &Files, more: &str) -> String {
    format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}\n{more}\n",
        files.path("server.pem"),
        files.path("server.key")
    )
}

fn expect(stream: &mut impl Read, text: &str) {
    let mut found = vec![0; text.len()];
    stream.read_exact(&mut found).expect("it comes");
    assert_eq!(String::from_utf8_lossy(&found), text);
}

#[test]
fn clients_in_the_handshake_get_the_new_settings() {
    let files = Files::new("reload-guest");
    let users = "users = [ {user: mute, password: p, permissions: {publish: {deny: \">\"}}} ]";
    let strict = with_tls(&files, &format!("authorization {{ {users} }}"));
    let with_guest = format!("no_auth_user: mute\n{strict}");
    let file = File::new(&strict);
    let server = Server::of(&file);
    let mut early = Client::to(server.port);
    early.read_info();
    reload(&server, &file, &with_guest, RELOADED);
    let mut guest = files.encrypt(early, false);
    guest
        .write_all(b"PUB a 0\r\n\r\nPING\r\n")
        .expect("written");
    expect(
        &mut guest,
        "-ERR 'Permissions Violation for Publish to \"a\"'\r\nPONG\r\n",
    );
    let mut early = Client::to(server.port);
    early.read_info();
    reload(&server, &file, &strict, RELOADED);
    // The client was the guest, which does not exist any more; no error can be sent during the
    // handshake.
    early.read_to_end();
}

#[test]
fn new_connections_get_the_new_certificate_and_old_ones_stay() {
    let (old, new) = (Files::new("reload-old"), Files::new("reload-new"));
    let file = File::new(&with_tls(&old, ""));
    let server = Server::of(&file);
    let mut before = old.client(&server, false);
    before.write_all(b"PING\r\n").expect("written");
    expect(&mut before, "PONG\r\n");
    reload(&server, &file, &with_tls(&new, ""), RELOADED);
    before.write_all(b"PING\r\n").expect("written");
    expect(&mut before, "PONG\r\n");
    let mut after = new.client(&server, false);
    after.write_all(b"PING\r\n").expect("written");
    expect(&mut after, "PONG\r\n");
    let mut wrong = old.client(&server, false);
    assert!(wrong.write_all(b"PING\r\n").is_err() || wrong.read_exact(&mut [0]).is_err());
}

/// A renewed certificate has the same path as the one before.
#[test]
fn new_pages_get_the_new_certificate() {
    let (old, new) = (Files::new("reload-page-old"), Files::new("reload-page-new"));
    let text = format!(
        "websocket {{ port: -1, tls {{ cert_file: {:?}, key_file: {:?} }} }}\n",
        old.path("server.pem"),
        old.path("server.key")
    );
    let file = File::new(&text);
    let server = Server::of(&file);
    let line = server.wait_for_log("websocket clients on wss");
    let port = line.rsplit_once(':').expect("a port").1.trim();
    let port = port.parse().expect("a number");
    let answer = |files: &Files| {
        let mut page = files.encrypt(Client::to(port), false);
        page.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
        let mut answer = [0; 9];
        page.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    assert_eq!(answer(&old).expect("it is trusted"), *b"HTTP/1.1 ");
    for name in ["server.pem", "server.key"] {
        std::fs::copy(new.path(name), old.path(name)).expect("there is room");
    }
    reload(&server, &file, &text, RELOADED);
    assert_eq!(answer(&new).expect("it is trusted"), *b"HTTP/1.1 ");
    answer(&old).expect_err("it has another certificate");
}

#[test]
fn tls_1_2_can_be_refused() {
    let files = Files::new("reload-version");
    let text = with_tls(&files, "").replace("key_file", "min_version: \"1.3\", key_file");
    let server = Server::of(&File::new(&text));
    let mut client = files.client(&server, false);
    client.write_all(b"PING\r\n").expect("written");
    expect(&mut client, "PONG\r\n");
    let version = client.conn.protocol_version();
    assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_3));
}

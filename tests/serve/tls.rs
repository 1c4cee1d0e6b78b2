//! TLS, with the right files and with wrong ones.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Bystanders, Client};
use crate::server::Server;

/// A directory with an authority and what it vouches for, which goes with the test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("broker-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("there is room");
        let files = Self(path);
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        files.write("ca.pem", &authority.pem());
        for name in ["server", "client"] {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, &authority).expect("a certificate");
            files.write(&format!("{name}.pem"), &certificate.pem());
            files.write(&format!("{name}.key"), &key.serialize_pem());
        }
        files.write("nothing.pem", "nothing of use\n");
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("there is room");
    }

    fn path(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("plain letters")
            .to_owned()
    }

    fn server(&self, more: &[&str]) -> Server {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        let arguments = ["--tls-cert", &certificate, "--tls-key", &key];
        Server::start(&[&arguments, more].concat())
    }

    /// A client by TLS, which has read INFO.
    fn client(
        &self,
        server: &Server,
        with_certificate: bool,
    ) -> StreamOwned<ClientConnection, std::net::TcpStream> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(self.0.join("ca.pem")).expect("written");
        roots.add(authority).expect("it is one");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("they go together")
            .with_root_certificates(roots);
        let config = if with_certificate {
            let chain = CertificateDer::from_pem_file(self.0.join("client.pem")).expect("written");
            let key = PrivateKeyDer::from_pem_file(self.0.join("client.key")).expect("written");
            builder
                .with_client_auth_cert(vec![chain], key)
                .expect("a pair")
        } else {
            builder.with_no_client_auth()
        };
        let mut plain = Client::to(server.port);
        let info = plain.read_info();
        assert_eq!(info["tls_required"], true);
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a session");
        StreamOwned::new(session, plain.stream)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

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
        let output = Command::new(env!("CARGO_BIN_EXE_broker"))
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

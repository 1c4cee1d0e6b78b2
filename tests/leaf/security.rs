//! TLS and keys between a leaf node and nats-server.

use crate::certificates::Files;
use crate::hub::Hub;
use crate::server::Server;

/// The example in nats-server's documentation.
const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

fn why(edge: &Server) -> String {
    edge.wait_for_log("cannot connect to hub")
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_link_goes_by_tls_where_the_hub_wants_it() {
    let files = Files::new("leaf-tls");
    let (certificate, key) = (files.path("server.pem"), files.path("server.key"));
    let hub = Hub::start(&format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?} }} ---"
    ));
    let (ca, other) = (files.path("ca.pem"), files.path("client.pem"));
    for scheme in ["nats-leaf", "tls"] {
        let url = format!("{scheme}://localhost:{}", hub.leaf_port);
        let edge = Server::start(&["--leaf", &url, "--leaf-tls-ca", &ca]);
        edge.wait_for_log("connected to hub hub at");
        let (mut here, mut there) = (edge.connect(), hub.connect());
        here.send("SUB a 1\r\n");
        here.sync();
        // Enough to need several records.
        let payload = "x".repeat(100_000);
        // The hub learns of the subscription after a moment.
        std::thread::sleep(std::time::Duration::from_millis(200));
        there.send(format!("PUB a 100000\r\n{payload}\r\n"));
        here.expect(format!("MSG a 1 100000\r\n{payload}\r\n"));
    }
    // The certificate is not trusted.
    let url = format!("tls://localhost:{}", hub.leaf_port);
    for more in [&["--leaf-tls-ca", &other][..], &[]] {
        let edge = Server::start(&[&["--leaf", &url], more].concat());
        let line = why(&edge);
        assert!(line.contains("TLS: invalid peer certificate"), "{line}");
    }
    // The certificate is for another name.
    let url = format!("tls://127.0.0.1:{}", hub.leaf_port);
    let line = why(&Server::start(&["--leaf", &url, "--leaf-tls-ca", &ca]));
    assert!(line.contains("not valid for name"), "{line}");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_hub_may_want_a_certificate_and_tls_before_info() {
    let files = Files::new("leaf-mutual");
    let file = |name: &str| files.path(name);
    let (certificate, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    for first in [false, true] {
        let hub = Hub::start(&format!(
            "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {ca:?}, verify: true, handshake_first: {first} }} ---"
        ));
        let url = format!("nats-leaf://localhost:{}", hub.leaf_port);
        let (own, its_key) = (file("client.pem"), file("client.key"));
        let mut flags = vec!["--leaf", &url, "--leaf-tls-ca", &ca];
        if first {
            flags.push("--leaf-tls-first");
        }
        let line = why(&Server::start(&flags));
        assert!(line.contains("TLS: received fatal alert"), "{line}");
        flags.extend(["--leaf-tls-cert", &own, "--leaf-tls-key", &its_key]);
        let edge = Server::start(&flags);
        edge.wait_for_log("connected to hub hub at");
        let (mut here, mut there) = (edge.connect(), hub.connect());
        there.send("SUB a 1\r\n");
        there.sync();
        // The leaf node learns of the subscription after a moment.
        std::thread::sleep(std::time::Duration::from_millis(200));
        here.send("PUB a 1\r\nx\r\n");
        there.expect("MSG a 1 1\r\nx\r\n");
    }
    // A hub that sends INFO first.
    let hub = Hub::start("");
    let url = format!("nats-leaf://localhost:{}", hub.leaf_port);
    let line = why(&Server::start(&["--leaf", &url, "--leaf-tls-first"]));
    assert!(line.contains("leave out --leaf-tls-first"), "{line}");
}

/// As `openssl req -x509` creates it.
#[test]
#[ignore = "needs nats-server: HUB"]
fn a_certificate_of_a_hub_may_be_its_own_authority() {
    let files = Files::new("leaf-own");
    let (own, key) = (files.path("self.pem"), files.path("self.key"));
    let hub = Hub::start(&format!(
        "tls {{ cert_file: {own:?}, key_file: {key:?} }} ---"
    ));
    let url = format!("tls://localhost:{}", hub.leaf_port);
    let edge = Server::start(&["--leaf", &url, "--leaf-tls-ca", &own]);
    edge.wait_for_log("connected to hub hub at");
    let other = files.path("ca.pem");
    let line = why(&Server::start(&["--leaf", &url, "--leaf-tls-ca", &other]));
    assert!(line.contains("TLS: invalid peer certificate"), "{line}");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn required_tls_is_not_skipped() {
    let hub = Hub::start("");
    let url = format!("tls://127.0.0.1:{}", hub.leaf_port);
    let line = why(&Server::start(&["--leaf", &url]));
    assert!(
        line.contains("the hub has no TLS, which tls:// in --leaf requires"),
        "{line}"
    );
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_key_lets_the_leaf_node_in() {
    let hub = Hub::start(&format!("authorization {{ nkey: {PUBLIC} }} ---"));
    let folder = std::env::temp_dir().join(format!("leaf-nkey-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room");
    let file = folder.join("seed");
    std::fs::write(&file, format!("{SEED}\n")).expect("there is room");
    let path = file.to_str().expect("plain letters");
    let edge = hub.leaf(&["--leaf-nkey", path]);
    drop(edge);
    // Without the key, and with an invalid one.
    let line = why(&Server::start(&["--leaf", &hub.url()]));
    assert!(line.contains("Authorization Violation"), "{line}");
    std::fs::write(&file, "hello\n").expect("there is room");
    let edge = Server::start(&["--leaf", &hub.url(), "--leaf-nkey", path]);
    let line = why(&edge);
    assert!(
        line.contains("does not contain the seed of a user's NKey"),
        "{line}"
    );
    // The file is read again for the next attempt.
    std::fs::write(&file, format!("{SEED}\n")).expect("there is room");
    edge.wait_for_log("connected to hub hub at");
    std::fs::remove_dir_all(folder).expect("it is there");
}

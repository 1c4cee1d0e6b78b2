//! Users in a file, beyond the cases that tests/conformance checks on both servers.

use std::fmt::Write as _;

use crate::client::Bystanders;
use crate::file::File;
use crate::server::Server;

/// A user that may answer requests, and one that may do everything.
const SERVICE: &str = "authorization { users = [
  {user: service, password: p, permissions: {subscribe: \"svc.>\", allow_responses: {max: -1, expires: \"1h\"}}}
  {user: all, password: p}
] }";

#[test]
fn the_memory_for_answerable_requests_is_bounded() {
    let file = File::new(SERVICE);
    let server = Server::of(&file);
    let mut service = server.login("service", "p");
    service.send("SUB svc.a 1\r\n");
    service.sync();
    let mut all = server.login("all", "p");
    let mut requests = String::new();
    let mut expected = String::new();
    let last = 20_000;
    for number in 0..=last {
        let _ = write!(requests, "PUB svc.a back.{number} 1\r\nx\r\n");
        let _ = write!(expected, "MSG svc.a 1 back.{number} 1\r\nx\r\n");
    }
    let mut reading = all.writing_half();
    let sending = std::thread::spawn(move || reading.send(requests));
    service.expect(&expected);
    sending.join().expect("it was sent");
    all.send("SUB back.* 2\r\n");
    all.sync();
    // The newest request can be answered; the oldest were forgotten.
    service.send(format!("PUB back.{last} 1\r\ny\r\nPUB back.0 1\r\ny\r\n"));
    service.expect("-ERR 'Permissions Violation for Publish to \"back.0\"'\r\n");
    all.expect(format!("MSG back.{last} 2 1\r\ny\r\n"));
}

#[test]
fn denied_publishes_do_not_disturb_others() {
    let file = File::new(
        "no_auth_user: any\nauthorization { users = [ {user: any, password: a}, {user: mute, password: p, permissions: {publish: {deny: \">\"}}} ] }",
    );
    let server = Server::of(&file);
    let mut bystanders = Bystanders::of(&server);
    let mut mute = server.login("mute", "p");
    mute.send("PUB bystanders.a 1\r\nx\r\n".repeat(1000));
    for _ in 0..1000 {
        mute.expect("-ERR 'Permissions Violation for Publish to \"bystanders.a\"'\r\n");
    }
    bystanders.check();
}

#[test]
fn a_second_connect_can_change_the_user() {
    let file = File::new(
        "authorization { users = [ {user: all, password: p}, {user: some, password: p, permissions: {subscribe: \"a\"}} ] }",
    );
    let server = Server::of(&file);
    let mut client = server.login("all", "p");
    client.send("SUB a 1\r\nSUB b 2\r\n");
    client.sync();
    client.send(crate::connect("some", "p"));
    client.expect("-ERR 'Permissions Violation for Subscription to \"b\" (sid \"2\")'\r\n");
    client.send("PUB a 1\r\nx\r\nPUB b 1\r\nx\r\n");
    client.expect("MSG a 1 1\r\nx\r\n");
    client.sync();
}

/// The public key in the documentation of github.com/nats-io/nkeys, and its seed.
#[cfg(feature = "tls")]
const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
#[cfg(feature = "tls")]
const SEED: [u8; 32] = [
    0x29, 0x49, 0x7b, 0xa0, 0x0f, 0x41, 0xdd, 0x45, 0x93, 0x6b, 0x4c, 0xc4, 0xbd, 0xa1, 0xde, 0xcb,
    0x67, 0xc1, 0x28, 0xe6, 0x9f, 0xb3, 0xd4, 0x90, 0xee, 0x82, 0x0d, 0xaf, 0x7c, 0x31, 0x8c, 0x0a,
];

#[cfg(feature = "tls")]
#[test]
fn a_signature_by_the_right_key_is_accepted() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::signature::Ed25519KeyPair;

    const HASH: &str = "$2a$04$a0j2bETjZg/gcVPjaw/tYuhozCBVdrhGO16Ow/.mBbxEvIsq.MeFq";
    let key = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("32 bytes");
    let sign = |nonce: &str| URL_SAFE_NO_PAD.encode(key.sign(nonce.as_bytes()));
    let connect = |sig: &str| {
        format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"nkey\":\"{PUBLIC}\",\"sig\":\"{sig}\"}}\r\n"
        )
    };
    // Hashed passwords are checked elsewhere, where the nonce is not known.
    for password in ["secret", HASH] {
        let file = File::new(&format!(
            "authorization {{ users = [ {{nkey: {PUBLIC}, permissions: {{publish: \"a\"}}}}, {{user: u, password: {password:?}}} ] }}"
        ));
        let server = Server::of(&file);
        let mut client = crate::client::Client::to(server.port);
        let info = client.read_info();
        let right = sign(info["nonce"].as_str().expect("there is one"));
        client.send(connect(&right));
        client.send("PUB b 0\r\n\r\n");
        client.expect("-ERR 'Permissions Violation for Publish to \"b\"'\r\n");
        client.sync();
        // The signature was valid for that connection only.
        server.refuses(&connect(&right));
        server.refuses(&connect(&sign("")));
        server.login("u", "secret").sync();
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_key_gets_a_nonce_of_its_own_to_sign() {
    let file = File::new(&format!(
        "authorization {{ users = [ {{nkey: {PUBLIC}}} ] }}"
    ));
    let server = Server::of(&file);
    let nonce = || {
        let mut client = crate::client::Client::to(server.port);
        let info = client.read_info();
        info["nonce"].as_str().expect("there is one").to_owned()
    };
    let (one, other) = (nonce(), nonce());
    assert_eq!(one.len(), 15);
    assert_ne!(one, other);
    let open = Server::start(&[]);
    let mut client = crate::client::Client::to(open.port);
    assert!(client.read_info().get("nonce").is_none());
}

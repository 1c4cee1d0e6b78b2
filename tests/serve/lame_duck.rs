//! Lame duck mode (SIGUSR2): the server sends its clients to other servers.

use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::client::Client;
use crate::drain::with_a_stuck_client;
use crate::http::get;
use crate::server::{PATIENCE, Server};

/// Long enough for the test's other steps.
const LONG: &[&str] = &[
    "--lame-duck-duration",
    "2000",
    "--lame-duck-grace-period",
    "1000",
];

#[test]
fn without_clients_it_ends_at_once() {
    let mut server = Server::start(LONG);
    drop(server.connect());
    server.signal(Signal::USR2);
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_log("lame duck");
    server.wait_for_log("drained");
}

#[test]
fn it_ends_when_the_last_client_has_left() {
    let mut server = Server::start(LONG);
    let mut client = server.connect();
    server.signal(Signal::USR2);
    assert_eq!(client.read_info()["ldm"], true);
    drop(client);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn it_serves_existing_clients_and_accepts_no_more() {
    let server = Server::start(&[LONG, &["--http", "127.0.0.1:0"]].concat());
    let mut subscriber = server.connect();
    subscriber.send("SUB a 1\r\n");
    subscriber.sync();
    // This client does not accept INFO at any time.
    let mut old = server.open();
    old.send("CONNECT {\"verbose\":false,\"protocol\":0}\r\n");
    old.sync();
    server.signal(Signal::USR2);
    assert_eq!(subscriber.read_info()["ldm"], true);
    old.send("PUB a 1\r\nx\r\n");
    subscriber.expect("MSG a 1 1\r\nx\r\n");
    old.sync();
    TcpStream::connect(("127.0.0.1", server.port)).expect_err("it does not listen any more");
    // nats-server's response.
    let (status, body) = get(server.http_port(), "/healthz");
    assert!(status.contains(" 500 "), "{status}");
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["status"], "error");
    let error = "failed to be ready for connections after 1ms: server";
    assert_eq!(body["error"], error);
}

#[test]
fn after_the_grace_period_connections_are_closed_one_by_one() {
    const CLIENTS: u32 = 20;
    let [grace, rest] = [300, 1200].map(Duration::from_millis);
    let mut server = Server::start(&[
        "--lame-duck-duration",
        "1.5",
        "--lame-duck-grace-period",
        "0.3",
    ]);
    let clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    let start = Instant::now();
    server.signal(Signal::USR2);
    let wait = move |mut client: Client| {
        assert_eq!(client.read_info()["ldm"], true);
        client.expect_end();
        start.elapsed()
    };
    let waiting: Vec<_> = clients
        .into_iter()
        .map(|client| thread::spawn(move || wait(client)))
        .collect();
    let ended = waiting.into_iter().map(thread::JoinHandle::join);
    let mut ended: Vec<_> = ended.map(|time| time.expect("it ends")).collect();
    ended.sort();
    assert_eq!(server.wait().code(), Some(0));
    let (first, last) = (ended[0], ended[ended.len() - 1]);
    assert!(first >= grace, "{ended:?}");
    // The shortest interval is half of the average.
    let shortest = rest / CLIENTS / 2 * (CLIENTS - 1);
    assert!(last >= grace + shortest, "{ended:?}");
    let middle = ended[ended.len() / 2];
    assert!(middle > first && middle < last, "{ended:?}");
}

#[test]
fn a_client_that_was_let_go_is_reported_as_shut_down() {
    let server = Server::start(&[
        "--lame-duck-duration",
        "60",
        "--lame-duck-grace-period",
        "0.1",
        "--http",
        "127.0.0.1:0",
    ]);
    let mut clients = [server.connect(), server.connect()];
    server.signal(Signal::USR2);
    let deadline = Instant::now() + PATIENCE;
    let closed = loop {
        let (_, body) = get(server.http_port(), "/connz?state=closed");
        let connz: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        if let Some(first) = connz["connections"].get(0) {
            break first["reason"].clone();
        }
        assert!(Instant::now() < deadline, "none is let go");
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(closed, "Server Shutdown");
    for client in &mut clients {
        assert_eq!(client.read_info()["ldm"], true);
    }
}

#[test]
fn pending_output_is_written_before_a_close() {
    let mut server = Server::start(&[
        "--lame-duck-duration",
        "0.2",
        "--lame-duck-grace-period",
        "0.1",
    ]);
    let [mut stuck, mut publisher] = with_a_stuck_client(&server);
    publisher.send("PUB flood 4\r\nlast\r\n");
    server.signal(Signal::USR2);
    server.wait_for_log("closing");
    thread::sleep(Duration::from_millis(100));
    let mut rest = Vec::new();
    stuck.stream.read_to_end(&mut rest).expect("all of it");
    let of = |line: &[u8]| rest.windows(line.len()).filter(|&it| it == line).count();
    assert_eq!(of(b"MSG flood 1 1000000\r\n"), 20);
    assert_eq!(of(b"MSG flood 1 4\r\nlast\r\n"), 1);
    assert_eq!(of(b"\"ldm\":true"), 1);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn sigterm_has_it_drain_and_a_second_one_ends_it_at_once() {
    let mut server = Server::start(&[LONG, &["--drain-timeout", "1000"]].concat());
    let _clients = with_a_stuck_client(&server);
    server.signal(Signal::USR2);
    server.wait_for_log("lame duck mode: no new");
    // A second signal changes nothing.
    server.signal(Signal::USR2);
    server.signal(Signal::TERM);
    server.wait_for_log("draining");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1));
    server.wait_for_log("second signal");
}

#[test]
fn sigterm_has_a_lame_duck_drain() {
    let mut server = Server::start(LONG);
    let mut client = server.connect();
    server.signal(Signal::USR2);
    assert_eq!(client.read_info()["ldm"], true);
    server.signal(Signal::TERM);
    // The client was informed once.
    client.expect_end();
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_log("drained");
}

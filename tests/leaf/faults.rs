//! Errors of a hub, which local clients must not notice.

use std::io::Read;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::client::{Bystanders, Client};
use crate::server::{PATIENCE, Server, stated_memory};
use crate::stage::{CONNECTED, INFO, Stage};

/// Returns the log line with the reason why there is no link.
fn why(edge: &Server) -> String {
    edge.wait_for_log("cannot connect to hub")
}

#[test]
fn connect_names_the_leaf_node_without_a_language() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--name", "shop-7", "--leaf-deny-import", "a.>"]);
    let (mut hub, connect) = stage.link();
    assert_eq!(connect["name"], "shop-7");
    assert_eq!(connect["cluster"], "shop-7");
    assert_eq!(connect["remote_account"], "$G");
    assert_eq!(connect["deny_pub"], serde_json::json!(["a.>"]));
    // A hub takes a client that sends `lang` for one at the wrong port.
    assert_eq!(connect.get("lang"), None);
    edge.wait_for_log("connected to hub stage at");
    hub.send("PING\r\n");
    hub.expect("PONG\r\n");
}

#[test]
fn credentials_of_the_url_are_shown_and_not_logged() {
    for (login, shown) in [
        (
            "user:s3cret",
            serde_json::json!({"user": "user", "pass": "s3cret"}),
        ),
        ("s3cret", serde_json::json!({"auth_token": "s3cret"})),
        (
            "us%40er:s3cret%3A",
            serde_json::json!({"user": "us@er", "pass": "s3cret:"}),
        ),
    ] {
        let stage = Stage::new();
        let url = stage.url().replace("://", &format!("://{login}@"));
        let edge = Server::start(&["--leaf", &url, "--log-level", "trace"]);
        let (hub, connect) = stage.link();
        for (name, value) in shown.as_object().expect("it is one") {
            assert_eq!(connect[name], *value, "{login}");
        }
        drop(hub);
        edge.wait_for_log("lost the connection to hub");
        let log = edge.log().join("\n");
        assert!(!log.contains("s3cret"), "{log}");
    }
}

#[test]
fn wrong_hubs_are_reported() {
    for (first, said) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "protocol error"),
        (
            b"INFO {\"client_id\":7}\r\n",
            "this is not a leaf node port",
        ),
        (b"INFO {}}\r\n", "the hub's INFO is malformed"),
        // An attacker on the network may have inserted something before TLS begins.
        (
            b"INFO {\"client_id\":7,\"leafnode_urls\":[],\"tls_required\":true}\r\n-ERR 'x'\r\n",
            "the hub sent plaintext where TLS must begin",
        ),
        (
            b"-ERR 'Authorization Violation'\r\n",
            "check the user, password or token in --leaf",
        ),
        (b"\xff\xfe\0\0", "protocol error"),
        // Half a line, and nothing more.
        (b"INFO {\"client_id\"", "no INFO within 1 s"),
        (b"", "no INFO within 1 s"),
    ] {
        let stage = Stage::new();
        let edge = stage.leaf(&[]);
        let mut bystanders = Bystanders::of(&edge);
        let mut hub = stage.accept();
        hub.send(first);
        if first.starts_with(b"-ERR") {
            drop(hub);
        }
        let line = why(&edge);
        assert!(line.contains(said), "{line}");
        bystanders.check();
    }
}

/// Otherwise an attacker on the network could name a server for which he has a certificate.
#[test]
fn addresses_in_a_plaintext_info_are_not_learnt_where_tls_follows() {
    for tls in [true, false] {
        let (stage, other) = (Stage::new(), Stage::new());
        let address = other.url().replace("nats-leaf://", "");
        let _edge = stage.leaf(&[]);
        let mut hub = stage.accept();
        hub.send(format!(
            "INFO {{\"client_id\":7,\"tls_required\":{tls},\"leafnode_urls\":[\"{address}\"]}}\r\n"
        ));
        drop(hub);
        if tls {
            // The other one would come first.
            stage.accept();
            assert!(other.is_left_alone(Duration::ZERO));
        } else {
            other.accept();
        }
    }
}

#[test]
fn a_hub_that_does_not_answer_connect_is_left() {
    let stage = Stage::new();
    let edge = stage.leaf(&[]);
    let mut hub = stage.accept();
    hub.send(INFO);
    assert!(hub.line().starts_with("CONNECT "));
    let line = why(&edge);
    assert!(
        line.contains("the hub did not answer CONNECT within 2 s"),
        "{line}"
    );
    // The next attempt succeeds.
    stage.link();
    edge.wait_for_log("connected to hub stage at");
}

#[test]
fn a_hub_that_is_stopped_is_left_and_found_again() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--ping-interval", "0.1"]);
    let (mut hub, _) = stage.link();
    // The hub gets PING, and does not answer.
    assert_eq!(hub.line(), "PING");
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(line.contains("the hub does not answer PING"), "{line}");
    stage.link();
}

#[test]
fn a_loop_is_noticed_by_either_side() {
    let stage = Stage::new();
    let edge = stage.leaf(&[]);
    let mut hub = stage.accept();
    hub.send(INFO);
    hub.line();
    hub.send(CONNECTED);
    let own = hub.line();
    hub.send(format!("{own}\r\n"));
    let line = hub.line();
    assert!(
        line.starts_with("-ERR 'Loop detected for leafnode account="),
        "{line}"
    );
    hub.expect_end();
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(line.contains("loop detected"), "{line}");
    // An immediate retry would fail again.
    assert!(stage.is_left_alone(Duration::from_secs(2)));

    let stage = Stage::new();
    let edge = stage.leaf(&[]);
    let (mut hub, _) = stage.link();
    // The id of another leaf node is ignored.
    hub.send("LS+ $LDS.AAAAAAAAAAAAAAAAAAAAAA\r\n");
    hub.send("-ERR 'Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s'\r\n");
    drop(hub);
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(
        line.contains("Loop detected") && line.contains("form a loop"),
        "{line}"
    );
    assert!(stage.is_left_alone(Duration::from_secs(2)));
}

#[test]
fn a_duplicate_name_is_reported() {
    let stage = Stage::new();
    let edge = stage.leaf(&[]);
    let (mut hub, _) = stage.link();
    hub.send("-ERR 'Duplicate Remote LeafNode Connection'\r\n");
    drop(hub);
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(line.contains("--name"), "{line}");
}

#[test]
fn an_incomplete_message_is_not_delivered() {
    let stage = Stage::new();
    let edge = stage.leaf(&[]);
    let (mut hub, _) = stage.link();
    let mut client = edge.connect();
    client.send("SUB a 1\r\n");
    client.sync();
    assert_eq!(hub.line(), "LS+ a");
    hub.send("LMSG a 5\r\nhello\r\nLMSG a 5\r\nhel");
    client.expect("MSG a 1 5\r\nhello\r\n");
    drop(hub);
    edge.wait_for_log("lost the connection to hub");
    let (mut hub, _) = stage.link();
    assert_eq!(hub.line(), "LS+ a");
    hub.send("LMSG a 1\r\nx\r\n");
    client.expect("MSG a 1 1\r\nx\r\n");
}

#[test]
fn garbage_in_the_midst_ends_the_link_alone() {
    for garbage in [
        &b"LMSG a x\r\n"[..],
        b"LMSG a 999999999\r\n",
        b"PUB a 1\r\nx\r\n",
        b"LS+ a b\r\n",
        b"LMSG a 1\r\nxyz\r\n",
    ] {
        let stage = Stage::new();
        let edge = stage.leaf(&[]);
        let (mut hub, _) = stage.link();
        let mut bystanders = Bystanders::of(&edge);
        hub.send(garbage);
        let line = edge.wait_for_log("lost the connection to hub");
        assert!(line.contains("protocol error"), "{line}");
        bystanders.check();
    }
    let stage = Stage::new();
    let edge = stage.leaf(&[]);
    let (mut hub, _) = stage.link();
    hub.send_in_vain(&[b"LS+ ", "x".repeat(70_000).as_bytes()].concat());
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(line.contains("maximum control line exceeded"), "{line}");
}

#[test]
fn a_hub_that_does_not_read_is_closed() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--max-pending", "1000000", "--write-deadline", "30"]);
    let (mut hub, _) = stage.link();
    hub.send("LS+ flood\r\nPING\r\n");
    hub.expect("PONG\r\n");
    let mut bystanders = Bystanders::of(&edge);
    let mut publisher = edge.connect();
    let payload = vec![b'x'; 60_000];
    let message = [b"PUB flood 60000\r\n", &payload[..], b"\r\n"].concat();
    let deadline = Instant::now() + PATIENCE;
    // The buffer sizes of the system are unknown.
    while !edge
        .log()
        .iter()
        .any(|line| line.contains("lost the connection to hub"))
    {
        publisher.send(&message);
        bystanders.check();
        assert!(
            Instant::now() < deadline,
            "the hub is not disconnected in time"
        );
    }
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(
        line.contains("the hub did not read its pending output in time"),
        "{line}"
    );
    publisher.sync();
}

#[test]
fn a_hub_that_wants_everything_is_bounded_in_memory() {
    const MEMORY: u64 = 16 << 20;
    let stage = Stage::new();
    let edge = stage.leaf(&["--workers", "1", "--max-memory", "16777216"]);
    let (hub, _) = stage.link();
    let mut bystanders = Bystanders::of(&edge);
    let mut wanting = hub.writing_half();
    let flood = std::thread::spawn(move || {
        for number in 0..200_000 {
            wanting.send_in_vain(format!("LS+ flood.of.interest.number.{number}\r\n").as_bytes());
        }
    });
    for _ in 0..50 {
        bystanders.check();
        std::thread::sleep(Duration::from_millis(20));
    }
    let line = edge.wait_for_log("lost the connection to hub");
    assert!(line.contains("--max-memory"), "{line}");
    let _ = flood.join();
    bystanders.check();
    assert!(edge.peak_memory() < stated_memory(1, MEMORY));
    drop(hub);
}

#[test]
fn interest_comes_and_goes_once_for_all_clients() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--workers", "2"]);
    let mut early = edge.connect();
    early.send("SUB early 1\r\nSUB early q 2\r\nSUB $KV.bucket.key 3\r\n");
    early.sync();
    let (mut hub, _) = stage.link();
    let mut told = [hub.line(), hub.line()];
    told.sort();
    assert_eq!(told, ["LS+ early", "LS+ early q 1"]);
    let mut clients = [edge.connect(), edge.connect()];
    let step = |hub: &mut crate::client::Client, lines: &[&str]| {
        for &line in lines {
            assert_eq!(hub.line(), line);
        }
    };
    clients[0].send("SUB a.> 1\r\nSUB b q 2\r\n");
    clients[0].sync();
    step(&mut hub, &["LS+ a.>", "LS+ b q 1"]);
    clients[1].send("SUB a.> 1\r\nSUB b q 2\r\n");
    clients[1].sync();
    step(&mut hub, &["LS+ b q 2"]);
    clients[1].send("UNSUB 1\r\nUNSUB 2\r\n");
    clients[1].sync();
    step(&mut hub, &["LS+ b q 1"]);
    drop(clients);
    let mut told = [hub.line(), hub.line()];
    told.sort();
    assert_eq!(told, ["LS- a.>", "LS- b q"]);
}

#[test]
fn a_message_goes_to_a_hub_once_for_all_its_subscriptions() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--workers", "2"]);
    let (mut hub, _) = stage.link();
    hub.send("LS+ a.b\r\nLS+ a.*\r\nLS+ > q 2\r\nLS+ a.> r 1\r\nPING\r\n");
    hub.expect("PONG\r\n");
    // One is served by the worker that has the link, the other one by another worker.
    for mut client in [edge.connect(), edge.connect()] {
        client.send("PUB a.b 1\r\nx\r\n");
        let line = hub.line();
        assert!(
            line == "LMSG a.b | q r 1" || line == "LMSG a.b | r q 1",
            "{line}"
        );
        hub.expect("x\r\n");
        client.send("PUB c reply 1\r\ny\r\n");
        hub.expect("LMSG c + reply q 1\r\ny\r\n");
        // Members of this server are preferred.
        client.send("SUB c q 1\r\nPUB c 1\r\nz\r\nUNSUB 1\r\nPUB a.c 1\r\nw\r\n");
        client.expect("MSG c 1 1\r\nz\r\n");
        loop {
            let line = hub.line();
            if line.starts_with("LMSG") {
                assert!(line.starts_with("LMSG a.c |"), "{line}");
                break;
            }
            assert!(line.starts_with("LS"), "{line}");
        }
        hub.expect("w\r\n");
    }
}

#[test]
fn a_hub_s_message_goes_to_the_groups_that_it_names() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--workers", "2"]);
    let (mut hub, _) = stage.link();
    let mut client = edge.connect();
    client.send("SUB a 1\r\nSUB a q 2\r\nSUB a r 3\r\n");
    client.sync();
    let mut got = |hub: &mut crate::client::Client, line: &str| {
        hub.send(line);
        hub.send("LMSG a 3\r\nend\r\n");
        let mut sids = Vec::new();
        loop {
            let Some(crate::client::Frame::Message { sid, payload, .. }) = client.frame() else {
                panic!("no message");
            };
            if payload == b"end" {
                return sids;
            }
            sids.push(sid);
        }
    };
    assert_eq!(got(&mut hub, "LMSG a 1\r\nx\r\n"), ["1"]);
    assert_eq!(got(&mut hub, "LMSG a | q 1\r\nx\r\n"), ["1", "2"]);
    assert_eq!(
        got(&mut hub, "LMSG a + reply r q 1\r\nx\r\n"),
        ["1", "3", "2"]
    );
    assert_eq!(got(&mut hub, "LMSG a | unknown 1\r\nx\r\n"), ["1"]);
}

#[test]
fn the_end_of_the_server_gives_the_hub_all_that_is_for_it() {
    let stage = Stage::new();
    let mut edge = stage.leaf(&[]);
    let (mut hub, _) = stage.link();
    hub.send("LS+ a\r\nPING\r\n");
    hub.expect("PONG\r\n");
    let mut client = edge.connect();
    for _ in 0..1000 {
        client.send("PUB a 4\r\nlast\r\n");
    }
    client.sync();
    edge.signal(Signal::TERM);
    for _ in 0..1000 {
        hub.expect("LMSG a 4\r\nlast\r\n");
    }
    hub.expect_end();
    assert!(edge.wait().success());
}

#[test]
fn several_servers_of_a_hub_are_tried_at_once() {
    let stage = Stage::new();
    let urls = format!(
        "nats-leaf://127.0.0.1:1,{},nats-leaf://127.0.0.1:2",
        stage.url()
    );
    let edge = Server::start(&["--leaf", &urls]);
    let (mut hub, _) = stage.link();
    edge.wait_for_log("connected to hub stage at");
    // An address that the hub reports later is tried after the hub has gone.
    let other = Stage::new();
    let told = other.url().replace("nats-leaf://", "");
    hub.send(INFO.replace(
        "\"leafnode_urls\":[]",
        &format!("\"leafnode_urls\":[\"{told}\"]"),
    ));
    hub.send("PING\r\n");
    hub.expect("PONG\r\n");
    drop((hub, stage));
    other.link();
}

#[test]
fn a_name_that_hubs_do_not_take_is_refused() {
    let output = std::process::Command::new(crate::server::program())
        .args(["serve", "--leaf", "h", "--name", "a b"])
        .output()
        .expect("the executable starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--name \"a b\" has a space in it"), "{said}");
}

#[test]
fn bad_urls_are_refused_with_a_reason() {
    for (url, said) in [
        ("http://h", "the scheme must be nats-leaf or tls"),
        ("nats-leaf://s3cret@", "the host is missing"),
        ("nats-leaf://s3cret:x@h:0", "the port must be a number"),
        ("wss://s3cret@h", "WebSocket to a hub is not supported"),
    ] {
        let output = std::process::Command::new(crate::server::program())
            .args(["serve", "--listen", "127.0.0.1:0", "--leaf", url])
            .output()
            .expect("the executable starts");
        let said_so = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said_so}");
        assert!(said_so.contains(said), "{said_so}");
        assert!(!said_so.contains("s3cret"), "{said_so}");
    }
}

/// A slow client must not delay the hub's messages to other clients.
#[test]
fn a_slow_client_does_not_hold_the_link_up() {
    let stage = Stage::new();
    let edge = stage.leaf(&["--max-pending", "1000000"]);
    let (mut hub, _) = stage.link();
    let slow = {
        let mut slow = Client::with_room(edge.port, 4096);
        slow.read_info();
        slow.connect();
        slow.send("SUB flood 1\r\n");
        slow.sync();
        slow
    };
    let mut client = edge.connect();
    client.send("SUB other 1\r\n");
    client.sync();
    let payload = "x".repeat(50_000);
    for _ in 0..100 {
        hub.send(format!(
            "LMSG flood 50000\r\n{payload}\r\nLMSG other 1\r\ny\r\n"
        ));
        client.expect("MSG other 1 1\r\ny\r\n");
    }
    drop(slow);
}

/// A client that keeps reading, but slowly, must not slow down the messages for other clients: the
/// link is not held up until it has read what is for it.
#[test]
fn a_client_that_reads_slowly_does_not_slow_the_link_down() {
    const MESSAGES: usize = 1000;
    // On a busy machine, the client that reads would otherwise be too slow as well.
    const AHEAD: usize = 30;
    let stage = Stage::new();
    let edge = stage.leaf(&["--workers", "2", "--max-pending", "4000000"]);
    let (hub, _) = stage.link();
    // With a small buffer, it is seen to read all the time.
    let mut slow = Client::with_room(edge.port, 65_536);
    slow.read_info();
    slow.connect();
    slow.send("SUB flood 1\r\n");
    slow.sync();
    let reading = std::thread::spawn(move || {
        let mut some = vec![0; 20_000];
        // 2 MB/s.
        while slow.stream.read(&mut some).is_ok_and(|read| read > 0) {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let mut client = edge.connect();
    client.send("SUB flood 1\r\n");
    client.sync();
    let payload = "x".repeat(50_000);
    let message = format!("LMSG flood 50000\r\n{payload}\r\n");
    let mut flooding = hub.writing_half();
    let (got, room) = std::sync::mpsc::channel();
    let flood = std::thread::spawn(move || {
        for number in 0..MESSAGES {
            flooding.send(&message);
            if number >= AHEAD && room.recv().is_err() {
                return;
            }
        }
    });
    let start = Instant::now();
    let expected = format!("MSG flood 1 50000\r\n{payload}\r\n");
    for _ in 0..MESSAGES {
        client.expect(&expected);
        let _ = got.send(());
    }
    // At the rate of the slow client it takes more than 20 seconds.
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    flood.join().expect("the hub can send");
    edge.wait_for_log("Slow Consumer");
    drop(edge);
    reading.join().expect("it does not panic");
}

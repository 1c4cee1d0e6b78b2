//! Messages between a leaf node and nats-server.

use std::time::{Duration, Instant};

use crate::client::{Client, Frame};
use crate::hub::Hub;
use crate::server::{PATIENCE, Server};

/// Waits until a message from `from` reaches a new subscription of `to`, because subscriptions take
/// a moment to cross the link.
fn settle(from: &mut Client, to: &mut Client) {
    let subject = format!("settle.{}", fastrand::u64(..));
    to.send(format!("SUB {subject} settle\r\n"));
    to.sync();
    let deadline = Instant::now() + PATIENCE;
    loop {
        from.send(format!("PUB {subject} 0\r\n\r\n"));
        from.sync();
        std::thread::sleep(Duration::from_millis(5));
        to.send("PING\r\n");
        let mut came = false;
        loop {
            match to.frame().expect("it goes on") {
                Frame::Line(line) if line == "PONG" => break,
                Frame::Line(line) => assert_eq!(line, "PING"),
                Frame::Message { sid, .. } => came |= sid == "settle",
            }
        }
        if came {
            to.send("UNSUB settle\r\n");
            to.sync();
            return;
        }
        assert!(Instant::now() < deadline, "nothing crosses");
    }
}

/// Returns the next message: its sid, reply and payload. Skips PING, which a server may send at any
/// time.
fn message(client: &mut Client) -> (String, Option<String>, Vec<u8>) {
    loop {
        match client.frame().expect("it goes on") {
            Frame::Message {
                sid,
                reply,
                payload,
                ..
            } => return (sid, reply, payload),
            Frame::Line(line) => assert_eq!(line, "PING"),
        }
    }
}

/// Returns a client of the leaf node and one of the hub.
fn pair(hub: &Hub, edge: &Server) -> (Client, Client) {
    (edge.connect(), hub.connect())
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn messages_cross_both_ways_with_headers_and_replies() {
    let hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let (mut here, mut there) = pair(&hub, &edge);
    for to_hub in [true, false] {
        let (from, to) = if to_hub {
            (&mut here, &mut there)
        } else {
            (&mut there, &mut here)
        };
        to.send("SUB a.> 1\r\nSUB a.* 2\r\n");
        to.sync();
        settle(from, to);
        from.send("PUB a.b 5\r\nhello\r\n");
        from.send("PUB a.b.c some.reply 0\r\n\r\n");
        from.send("HPUB a.b.d 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        // Each subscription gets it once, in any order.
        let mut sids = Vec::new();
        for _ in 0..2 {
            let Some(Frame::Message {
                subject,
                sid,
                payload,
                ..
            }) = to.frame()
            else {
                panic!("no message");
            };
            assert_eq!((&*subject, &payload[..]), ("a.b", &b"hello"[..]));
            sids.push(sid);
        }
        sids.sort();
        assert_eq!(sids, ["1", "2"]);
        to.expect("MSG a.b.c 1 some.reply 0\r\n\r\nHMSG a.b.d 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        to.send("UNSUB 1\r\nUNSUB 2\r\n");
        to.sync();
    }
    let (_, page) = crate::http::get(edge.http_port(), "/leafz");
    assert!(page.contains("\"name\": \"hub\""), "{page}");
    assert_eq!(edge.varz()["leafnodes"], 1);
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn large_messages_cross_whole() {
    let hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let (mut here, mut there) = pair(&hub, &edge);
    there.send("SUB big 1\r\n");
    there.sync();
    settle(&mut here, &mut there);
    for size in [1, 4095, 4096, 65_536, 1 << 20] {
        let payload = vec![b'x'; size];
        here.send([format!("PUB big {size}\r\n").as_bytes(), &payload, b"\r\n"].concat());
        there.expect(
            [
                format!("MSG big 1 {size}\r\n").as_bytes(),
                &payload,
                b"\r\n",
            ]
            .concat(),
        );
    }
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_payload_limit_is_for_the_clients_of_its_own_server() {
    for (of_hub, of_edge) in [("1KB", "1048576"), ("1MB", "1024")] {
        let hub = Hub::start(&format!("max_payload: {of_hub}"));
        let edge = hub.leaf(&["--max-payload", of_edge]);
        let (here, there) = pair(&hub, &edge);
        let (mut from, mut to) = if of_hub == "1KB" {
            (here, there)
        } else {
            (there, here)
        };
        to.send("SUB a 1\r\n");
        to.sync();
        settle(&mut from, &mut to);
        let (payload, headers) = ("x".repeat(2000), "NATS/1.0\r\n\r\n");
        from.send(format!("PUB a answer 2000\r\n{payload}\r\n"));
        from.send(format!("HPUB a 12 2012\r\n{headers}{payload}\r\n"));
        let (_, reply, found) = message(&mut to);
        assert_eq!((reply.as_deref(), found.len()), (Some("answer"), 2000));
        let (_, _, found) = message(&mut to);
        assert!(found.ends_with(payload.as_bytes()), "{}", found.len());
    }
}

/// A client that subscribes and sends a request in one write gets the answer: the hub learns of the
/// inbox before it sees the request.
#[test]
#[ignore = "needs nats-server: HUB"]
fn each_of_many_requests_by_a_new_inbox_is_answered() {
    const REQUESTS: usize = 10_000;
    let hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let (mut here, mut there) = pair(&hub, &edge);
    there.send("SUB service 1\r\n");
    there.sync();
    settle(&mut here, &mut there);
    let mut answering = there.writing_half();
    let answers = std::thread::spawn(move || {
        for _ in 0..REQUESTS {
            let (_, reply, payload) = message(&mut there);
            let reply = reply.expect("it wants an answer");
            let head = format!("PUB {reply} {}\r\n", payload.len());
            answering.send([head.as_bytes(), &payload, b"\r\n"].concat());
        }
    });
    for number in 0..REQUESTS {
        let payload = number.to_string();
        let length = payload.len();
        here.send(format!(
            "SUB _INBOX.{number} {number}\r\nUNSUB {number} 1\r\n\
             PUB service _INBOX.{number} {length}\r\n{payload}\r\n"
        ));
        let (sid, _, answer) = message(&mut here);
        assert_eq!((&sid, &answer[..]), (&payload, payload.as_bytes()));
    }
    answers.join().expect("all were answered");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_group_has_its_members_here_before_those_at_the_hub() {
    const MESSAGES: usize = 100;
    let hub = Hub::start("");
    let edge = hub.leaf(&["--workers", "2"]);
    let (mut here, mut there) = pair(&hub, &edge);
    let mut beside = edge.connect();
    there.send("SUB work workers 1\r\nSUB work 2\r\nSUB work others 3\r\n");
    there.sync();
    settle(&mut here, &mut there);
    let publish = |here: &mut Client| {
        for _ in 0..MESSAGES {
            here.send("PUB work 1\r\nx\r\n");
        }
        here.sync();
    };
    // What each subscription of the client got.
    let got = |client: &mut Client, sids: [&str; 3]| {
        let mut counts = [0; 3];
        let deadline = Instant::now() + Duration::from_millis(500);
        while Instant::now() < deadline {
            client.send("PING\r\n");
            loop {
                match client.frame().expect("it goes on") {
                    Frame::Line(line) if line == "PONG" => break,
                    Frame::Line(_) => {}
                    Frame::Message { sid, .. } => {
                        let index = sids.iter().position(|known| *known == sid);
                        counts[index.expect("it is one of these")] += 1;
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        counts
    };
    // No local member: one member at the hub gets the message, and so does the plain subscription
    // there.
    publish(&mut here);
    assert_eq!(got(&mut there, ["1", "2", "3"]), [MESSAGES; 3]);
    // A local member gets all messages of its group; other subscriptions at the hub continue.
    beside.send("SUB work workers 9\r\n");
    beside.sync();
    publish(&mut here);
    assert_eq!(got(&mut beside, ["9", "", ""])[0], MESSAGES);
    assert_eq!(got(&mut there, ["1", "2", "3"]), [0, MESSAGES, MESSAGES]);
    // Published at the hub: its own member is preferred, too.
    there.send("PUB work 1\r\ny\r\n");
    assert_eq!(got(&mut there, ["1", "2", "3"]), [1, 1, 1]);
    there.send("UNSUB 1\r\n");
    there.sync();
    there.send("PUB work 1\r\nz\r\n");
    assert_eq!(got(&mut beside, ["9", "", ""]), [1, 0, 0]);
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn requests_without_responders_get_a_503() {
    let hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let (mut here, mut there) = pair(&hub, &edge);
    here.send("SUB inbox 1\r\nPUB service inbox 0\r\n\r\n");
    here.expect("HMSG inbox 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    there.send("SUB service g 1\r\n");
    there.sync();
    settle(&mut here, &mut there);
    here.send("PUB service inbox 0\r\n\r\n");
    there.expect("MSG service 1 inbox 0\r\n\r\n");
    there.send("PUB inbox 1\r\n1\r\n");
    here.expect("MSG inbox 1 1\r\n1\r\n");
    // And in the other direction.
    here.send("SUB other 2\r\n");
    here.sync();
    there.send("SUB back 3\r\n");
    there.sync();
    settle(&mut there, &mut here);
    there.send("PUB other back 0\r\n\r\n");
    here.expect("MSG other 2 back 0\r\n\r\n");
    here.send("PUB back 0\r\n\r\n");
    there.expect("MSG back 3 0\r\n\r\n");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_hub_that_comes_back_knows_all_that_is_wanted() {
    let mut hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let mut here = edge.connect();
    for number in 0..1000 {
        here.send(format!("SUB many.{number} {number}\r\n"));
    }
    here.send("SUB gone 5000\r\n");
    here.sync();
    hub.kill();
    edge.wait_for_log("lost the connection to hub");
    // Local traffic continues, and meanwhile subscriptions change.
    here.send("UNSUB 5000\r\nSUB new 5001\r\nPUB many.7 1\r\nx\r\n");
    here.expect("MSG many.7 7 1\r\nx\r\n");
    here.sync();
    hub.restart("");
    let mut there = hub.connect();
    settle(&mut there, &mut here);
    for number in (0..1000).step_by(37) {
        there.send(format!("PUB many.{number} 2\r\nhi\r\n"));
        here.expect(format!("MSG many.{number} {number} 2\r\nhi\r\n"));
    }
    there.send("PUB gone 1\r\nx\r\nPUB new 1\r\ny\r\n");
    here.expect("MSG new 5001 1\r\ny\r\n");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn errors_about_a_hub_are_one_line() {
    let hub = Hub::start("authorization { user: a, password: right } ---");
    let leaf = hub.leaf_port;
    for (url, said) in [
        (
            format!("nats-leaf://a:wrong@127.0.0.1:{leaf}"),
            "check the user, password or token in --leaf",
        ),
        (
            format!("nats-leaf://127.0.0.1:{}", hub.port),
            "this is not a leaf node port",
        ),
        ("nats-leaf://127.0.0.1:1".to_owned(), "Connection refused"),
        (
            "nats-leaf://no.such.host.invalid".to_owned(),
            "cannot connect to hub no.such.host.invalid:7422",
        ),
    ] {
        let edge = Server::start(&["--leaf", &url]);
        let line = edge.wait_for_log("cannot connect to hub");
        assert!(line.contains(said), "{line}");
        assert!(
            !line.contains("wrong@") && !line.contains(":wrong"),
            "{line}"
        );
        edge.connect().sync();
    }
    let url = format!("nats-leaf://a:right@127.0.0.1:{leaf}");
    Server::start(&["--leaf", &url]).wait_for_log("connected to hub hub at");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn denied_subjects_do_not_cross() {
    let hub = Hub::start(
        "authorization { users: [ { user: leaf, password: pw, account: A } ] } ---\n\
         accounts { A { users: [ { user: here, password: pw }, { user: leaf2, password: pw, \
         permissions: { publish: { allow: [\"up.>\", \"_INBOX.>\"] }, subscribe: { deny: [\"secret.>\"] } } } ] } }\n\
         no_auth_user: here",
    );
    let url = format!("nats-leaf://leaf:pw@127.0.0.1:{}", hub.leaf_port);
    let edge = Server::start(&[
        "--leaf",
        &url,
        "--leaf-deny-export",
        "private.>",
        "--leaf-deny-import",
        "noise.*",
    ]);
    edge.wait_for_log("connected to hub hub at");
    let (mut here, mut there) = pair(&hub, &edge);
    there.send("SUB private.a 1\r\nSUB public 2\r\n");
    there.sync();
    settle(&mut here, &mut there);
    here.send("PUB private.a 1\r\nx\r\nPUB public 1\r\ny\r\n");
    there.expect("MSG public 2 1\r\ny\r\n");
    here.send("SUB noise.a 3\r\nSUB > 4\r\n");
    here.sync();
    settle(&mut there, &mut here);
    there.send("PUB noise.a 1\r\nx\r\nPUB sound 1\r\ny\r\n");
    loop {
        match here.frame().expect("it goes on") {
            Frame::Message { subject, .. } if subject.starts_with("settle") => {}
            Frame::Message { subject, .. } => {
                assert_eq!(subject, "sound");
                break;
            }
            Frame::Line(_) => {}
        }
    }
}

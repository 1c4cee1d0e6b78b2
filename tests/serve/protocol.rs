//! The protocol, and nats-server 2.9.10's behaviour where the protocol is silent.

use crate::client::{Bystanders, CONNECT, Client};
use crate::server::Server;

/// How a conversation ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// The connection continues.
    Open,
    /// The server closes it.
    Closed,
}
use End::{Closed, Open};

const UNKNOWN: &str = "-ERR 'Unknown Protocol Operation'\r\n";

/// Input after CONNECT, the answer, and whether the connection ends. All of it was observed with
/// nats-server 2.9.10.
const CONVERSATIONS: &[(&str, &str, End)] = &[
    ("", "", Open),
    ("FOO\r\n", UNKNOWN, Closed),
    ("\r\n", UNKNOWN, Closed),
    ("SUB a..b 1\r\n", "-ERR 'Invalid Subject'\r\n", Open),
    ("SUB .a 1\r\n", "-ERR 'Invalid Subject'\r\n", Open),
    ("SUB >.a 1\r\n", "-ERR 'Invalid Subject'\r\n", Open),
    (
        "SUB a.> 1\r\nSUB a* 2\r\nPUB a* 1\r\nx\r\n",
        "MSG a* 2 1\r\nx\r\n",
        Open,
    ),
    ("SUB a\r\n", "", Closed),
    ("SUB  \r\n", "", Closed),
    ("SUB\r\n", UNKNOWN, Closed),
    ("PUB a\r\n", "", Closed),
    ("PUB a b c 1\r\n", "", Closed),
    ("PUB a -1\r\n\r\n", "", Closed),
    ("PUB a 1x\r\n\r\n", "", Closed),
    ("PUB a 99999999999999999999\r\n\r\n", "", Closed),
    ("PUB a 0000000001\r\nx\r\n", "", Closed),
    (
        "PUB a 2000000\r\n",
        "-ERR 'Maximum Payload Violation'\r\n",
        Closed,
    ),
    ("PUB a 1\r\nxyz\r\n", UNKNOWN, Closed),
    ("PUB a 1\r\nx\n", UNKNOWN, Closed),
    ("SUB a 1\nPUB a 1\nx\r\n", "MSG a 1 1\r\nx\r\n", Open),
    (
        "sub a 1\r\nPub \t a\t1 \r\nx\r\n",
        "MSG a 1 1\r\nx\r\n",
        Open,
    ),
    ("PING with more\r\n", "PONG\r\n", Open),
    ("PONG\r\n+OK\r\nINFO {}\r\n", "", Open),
    ("-ERR 'x'\r\n", "", Closed),
    ("CONNECT {\r\n", "", Closed),
    ("CONNECT \r\n", "", Closed),
    (
        "CONNECT {\"protocol\":7}\r\n",
        "-ERR 'invalid client protocol'\r\n",
        Closed,
    ),
    (
        "CONNECT {\"no_responders\":true,\"headers\":false}\r\n",
        "-ERR 'no responders requires headers support'\r\n",
        Closed,
    ),
    (
        "SUB r 9\r\nPUB none r 0\r\n\r\n",
        "HMSG r 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
        Open,
    ),
    (
        "SUB r.* 9\r\nPUB none r.1 0\r\n\r\n",
        "HMSG r.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
        Open,
    ),
    ("PUB none r 0\r\n\r\n", "", Open),
    ("SUB a 1\r\nPUB a 0\r\n\r\n", "MSG a 1 0\r\n\r\n", Open),
    (
        "SUB a 1\r\nPUB a r 1\r\nx\r\nPUB a  r\t1\r\ny\r\n",
        "MSG a 1 r 1\r\nx\r\nMSG a 1 r 1\r\ny\r\n",
        Open,
    ),
    (
        "SUB a 1\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        Open,
    ),
    (
        "SUB a 1\r\nHPUB  a r 12  14\r\nNATS/1.0\r\n\r\nhi\r\n",
        "HMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        Open,
    ),
    (
        "SUB a 1\r\nHPUB a 0 2\r\nhi\r\n",
        "MSG a 1 2\r\nhi\r\n",
        Open,
    ),
    ("HPUB a 15 14\r\nNATS/1.0\r\n\r\nhi\r\n", "", Closed),
    ("HPUB a 12\r\n", "", Closed),
    (
        "SUB a 1\r\nSUB b 1\r\nPUB a 1\r\nx\r\nPUB b 1\r\ny\r\n",
        "MSG a 1 1\r\nx\r\n",
        Open,
    ),
    (
        "SUB a 1\r\nUNSUB 1 2\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\nPUB a 1\r\n3\r\n",
        "MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\n",
        Open,
    ),
    (
        "SUB a 1\r\nPUB a 1\r\n1\r\nUNSUB 1 1\r\nPUB a 1\r\n2\r\n",
        "MSG a 1 1\r\n1\r\n",
        Open,
    ),
    ("SUB a 1\r\nUNSUB 1\r\nPUB a 1\r\n1\r\n", "", Open),
    ("SUB a 1\r\nUNSUB 1 x\r\nPUB a 1\r\n1\r\n", "", Open),
    ("UNSUB 55\r\n", "", Open),
    ("UNSUB\r\n", UNKNOWN, Closed),
    // A group is identified by its name, whatever its members subscribe to.
    (
        "SUB a.* q 1\r\nSUB a.b q 1\r\nPUB a.b 1\r\nx\r\n",
        "MSG a.b 1 1\r\nx\r\n",
        Open,
    ),
    (
        "SUB a q 1\r\nSUB a r 2\r\nUNSUB 2\r\nPUB a 1\r\nx\r\n",
        "MSG a 1 1\r\nx\r\n",
        Open,
    ),
    (
        "SUB > 1\r\nPUB a..b 1\r\nx\r\nPUB .a 1\r\nx\r\nPUB a. 1\r\nx\r\n",
        "",
        Open,
    ),
    (
        "SUB a.* 1\r\nPUB a.* 1\r\nx\r\n",
        "MSG a.* 1 1\r\nx\r\n",
        Open,
    ),
];

fn check(client: &mut Client, answer: &str, end: End) {
    client.expect(answer);
    match end {
        Open => client.sync(),
        Closed => client.expect_end(),
    }
}

#[test]
fn conversations_go_as_with_nats_server() {
    let server = Server::start(&[]);
    for &(sent, answer, end) in CONVERSATIONS {
        eprintln!("{sent:?}");
        let mut client = server.connect();
        client.send(sent);
        check(&mut client, answer, end);
    }
    Bystanders::of(&server).check();
}

#[test]
fn conversations_go_the_same_one_byte_at_a_time() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::of(&server);
    for &(sent, answer, end) in CONVERSATIONS {
        eprintln!("{sent:?}");
        let mut client = server.connect();
        for byte in sent.as_bytes() {
            client.send_in_vain(&[*byte]);
        }
        check(&mut client, answer, end);
    }
    bystanders.check();
}

#[test]
fn conversations_go_the_same_cut_anywhere() {
    let server = Server::start(&["--workers", "1"]);
    let texts = CONVERSATIONS.iter().filter(|(_, _, end)| *end == Open);
    for &(sent, answer, end) in texts {
        let mut client = server.connect();
        let step = sent.len() / 8 + 1;
        for cut in (1..sent.len()).step_by(step) {
            // The sids are free again afterwards.
            let (first, second) = sent.split_at(cut);
            client.send(first);
            // Answers the other connection's PING only after the first part.
            server.open().send("x");
            client.send(second);
            check(&mut client, answer, end);
            client = server.connect();
        }
    }
}

#[test]
fn verbose_and_pedantic_are_the_defaults() {
    let server = Server::start(&[]);
    let mut client = server.open();
    client.send("SUB > 1\r\nPUB a 1\r\nx\r\nPUB a.* 1\r\ny\r\nUNSUB 1\r\nCONNECT {}\r\n");
    client.expect("+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n");
    client.expect("-ERR 'Invalid Publish Subject'\r\n+OK\r\nMSG a.* 1 1\r\ny\r\n");
    client.expect("+OK\r\n+OK\r\n");
    client.sync();
}

#[test]
fn echo_is_left_out_on_request() {
    let server = Server::start(&[]);
    let mut other = server.connect();
    other.send("SUB a 2\r\n");
    other.sync();
    let mut client = server.open();
    client.send(
        "CONNECT {\"verbose\":false,\"echo\":false}\r\nSUB a 1\r\nSUB a q 3\r\nPUB a 1\r\nx\r\n",
    );
    client.sync();
    other.expect("MSG a 2 1\r\nx\r\n");
}

#[test]
fn headers_are_taken_from_messages_for_clients_without() {
    let server = Server::start(&[]);
    let mut plain: Vec<_> = std::iter::repeat_with(|| {
        let mut client = server.open();
        client.send("CONNECT {\"verbose\":false}\r\nSUB a 1\r\n");
        client.sync();
        client
    })
    .take(3)
    .collect();
    let mut client = server.connect();
    client.send("HPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    for plain in &mut plain {
        plain.expect("MSG a 1 r 2\r\nhi\r\n");
    }
    // Clients without header support may not send headers.
    plain[0].send("HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    plain[0].expect_end();
}

#[test]
fn payloads_of_all_sizes_arrive_whole() {
    let server = Server::start(&[]);
    let mut subscribers: Vec<_> = std::iter::repeat_with(|| {
        let mut client = server.connect();
        client.send("SUB sizes 1\r\n");
        client.sync();
        client
    })
    .take(3)
    .collect();
    let mut publisher = server.connect();
    let mut rng = fastrand::Rng::with_seed(7);
    for size in [
        0,
        1,
        4095,
        4096,
        8191,
        65_500,
        65_536,
        65_537,
        300_000,
        1 << 20,
    ] {
        let payload: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(size).collect();
        let frame = |verb: &str| {
            let head = format!("{verb} {size}\r\n");
            [head.as_bytes(), &payload, b"\r\n"].concat()
        };
        publisher.send(frame("PUB sizes"));
        publisher.send(frame("PUB sizes"));
        for subscriber in &mut subscribers {
            subscriber.expect(frame("MSG sizes 1"));
            subscriber.expect(frame("MSG sizes 1"));
        }
    }
}

#[test]
fn a_queue_group_shares_and_loses_nothing_with_its_members() {
    let server = Server::start(&[]);
    let mut members: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for member in &mut members {
        member.send("SUB work q 1\r\n");
        member.sync();
    }
    let mut publisher = server.connect();
    publisher.send("PUB work 1\r\nx\r\n".repeat(400));
    publisher.sync();
    let mut sum = 0;
    for mut member in members.drain(..2) {
        member.send("UNSUB 1\r\nPING\r\n");
        let mut own = 0;
        while member.line() != "PONG" {
            own += 1;
        }
        // Each message also has a line for its payload.
        assert!(own / 2 > 40, "{own} lines of 800 for one of four");
        sum += own / 2;
    }
    // The remaining members continue.
    publisher.send("PUB work 1\r\ny\r\n".repeat(100));
    publisher.send("PUB work 3\r\nend\r\n".repeat(100));
    publisher.sync();
    for mut member in members {
        loop {
            let line = member.line();
            match line.as_str() {
                "x" | "y" => sum += 1,
                "end" => break,
                _ => {}
            }
        }
    }
    assert_eq!(sum, 500);
}

#[test]
fn info_has_the_fields_that_clients_use() {
    let server = Server::start(&["--name", "here", "--max-payload", "1000"]);
    let info = Client::to(server.port).read_info();
    assert_eq!(info["server_name"], "here");
    assert_eq!(info["server_id"].as_str().map(str::len), Some(56));
    assert_eq!(info["proto"], 1);
    assert_eq!(info["headers"], true);
    assert_eq!(info["max_payload"], 1000);
    assert_eq!(info["port"], server.port);
    assert_eq!(info["client_ip"], "127.0.0.1");
    assert!(info["client_id"].is_u64());
    assert!(info.get("auth_required").is_none());
    assert!(info.get("tls_required").is_none());
    let mut client = server.open();
    client.send([CONNECT, b"PUB a 1001\r\n"].concat());
    client.expect("-ERR 'Maximum Payload Violation'\r\n");
    client.expect_end();
}

#[test]
fn earlier_messages_are_delivered_after_unsub() {
    const MESSAGES: usize = 200;
    let server = Server::start(&[]);
    let mut publishers: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for round in 0..50 {
        let mut subscriber = server.connect();
        subscriber.send("SUB ends 1\r\n");
        subscriber.sync();
        let publisher = &mut publishers[round % 4];
        publisher.send("PUB ends 1\r\nx\r\n".repeat(MESSAGES));
        publisher.sync();
        subscriber.send("UNSUB 1\r\n");
        subscriber.expect("MSG ends 1 1\r\nx\r\n".repeat(MESSAGES));
        subscriber.sync();
    }
}

#[test]
fn messages_between_workers_keep_their_order() {
    let server = Server::start(&["--workers", "2"]);
    let (mut publisher, mut subscriber) = (server.connect(), server.connect());
    subscriber.send("SUB order 1\r\n");
    subscriber.sync();
    let messages = |verb: &str, numbers: std::ops::Range<usize>| -> String {
        let message = |number| format!("{verb} 8\r\n{number:08}\r\n");
        numbers.map(message).collect()
    };
    // Many messages go through a queue. While they wait there, a few further ones must not be
    // delivered at once, as they would be otherwise.
    let mut sent = 0;
    for _ in 0..2000 {
        for burst in [40, 1, 1] {
            publisher.send(messages("PUB order", sent..sent + burst));
            sent += burst;
        }
        subscriber.expect(messages("MSG order 1", sent - 42..sent));
    }
}

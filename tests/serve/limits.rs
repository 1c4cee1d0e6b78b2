//! Limits: a client that exceeds one gets an error, and other clients do not.

use std::time::{Duration, Instant};

use crate::client::{Bystanders, Client};
use crate::server::Server;

#[test]
fn a_control_line_has_its_limit() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::of(&server);
    let long = "a".repeat(5000);
    for text in [
        format!("SUB {long} 1\r\n"),
        format!("SUB {long}"),
        format!("PUB {long} 1\r\nx\r\n"),
        format!("PUB {long}"),
        format!("HPUB {long}"),
        format!("CONNECT {{\"name\":\"{long}\"}}\r\n"),
        format!("CONNECT {{\"name\":\"{long}"),
        format!("UNSUB {long}"),
        format!("PING {long}"),
        format!("PUB {}", " ".repeat(5000)),
    ] {
        let mut client = server.connect();
        client.send_in_vain(text.as_bytes());
        client.expect("-ERR 'maximum control line exceeded'\r\n");
        client.expect_end();
    }
    // Exactly at the limit.
    let mut client = server.connect();
    let subject = "a".repeat(4096 - 2);
    client.send(format!("SUB {subject} 1\r\nPUB {subject} 0\r\n\r\n"));
    client.expect(format!("MSG {subject} 1 0\r\n\r\n"));
    bystanders.check();
}

#[test]
fn a_limit_on_connections_holds_and_rooms_come_free() {
    let server = Server::start(&["--max-connections", "2"]);
    let mut first = server.connect();
    let second = server.connect();
    let mut third = server.open();
    third.expect("-ERR 'maximum connections exceeded'\r\n");
    third.expect_end();
    drop(second);
    first.sync();
    // The server may need a moment to notice that the second client is gone.
    loop {
        let mut next = server.open();
        next.send_in_vain(b"CONNECT {\"verbose\":false}\r\nPING\r\n");
        match next.read_some().as_slice() {
            b"PONG\r\n" => break,
            other => assert!(other.is_empty() || other.starts_with(b"-ERR 'maximum conn")),
        }
    }
    first.sync();
}

#[test]
fn a_limit_on_subscriptions_holds_for_each_connection() {
    let server = Server::start(&["--max-subscriptions", "2"]);
    for _ in 0..2 {
        let mut client = server.connect();
        client.send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n");
        client.expect("-ERR 'maximum subscriptions exceeded'\r\n");
        client.send("PUB c 1\r\nx\r\nUNSUB 1\r\nSUB c 3\r\nPUB c 1\r\ny\r\n");
        client.expect("MSG c 3 1\r\ny\r\n");
        client.send("UNSUB 2\r\nUNSUB 3\r\n");
        client.sync();
    }
}

#[test]
fn thousands_of_subscriptions_come_and_go() {
    const COUNT: usize = 20_000;
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::of(&server);
    let mut client = server.connect();
    let lines = |line: &dyn Fn(usize) -> String| (0..COUNT).map(line).collect::<String>();
    client.send(lines(&|n| format!("SUB many.{n}.* {n}\r\n")));
    client.sync();
    client.send("PUB many.19999.x 1\r\nx\r\nPUB many.0.x 1\r\ny\r\n");
    client.expect("MSG many.19999.x 19999 1\r\nx\r\nMSG many.0.x 0 1\r\ny\r\n");
    bystanders.check();
    client.send(lines(&|n| format!("UNSUB {n}\r\n")));
    client.send("PUB many.5.x 1\r\nx\r\n");
    client.sync();
    client.send(lines(&|n| format!("SUB many.{n} {n}\r\n")));
    client.sync();
    // The server removes them with the connection.
    drop(client);
    bystanders.check();
}

#[test]
fn a_client_that_does_not_answer_is_stale() {
    let server = Server::start(&["--ping-interval", "0.1", "--max-pings-out", "2"]);
    let mut silent = server.connect();
    let mut lively = server.connect();
    let answering = std::thread::spawn(move || {
        for _ in 0..5 {
            lively.expect("PING\r\n");
            lively.send("PONG\r\n");
        }
    });
    silent.expect("PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    silent.expect_end();
    answering.join().expect("it stays connected");
}

#[test]
fn a_pong_is_not_activity() {
    let server = Server::start(&["--ping-interval", "0.5"]);
    let mut client = server.connect();
    client.expect("PING\r\n");
    client.send("PONG\r\n");
    let start = Instant::now();
    for _ in 0..4 {
        client.expect("PING\r\n");
        // Longer than the interval of the server's timeouts.
        std::thread::sleep(Duration::from_millis(250));
        client.send("PONG\r\n");
    }
    // If the answer counted as activity, every second PING would be left out.
    let took = start.elapsed();
    assert!(took < Duration::from_millis(3200), "{took:?}");
}

#[test]
fn credentials_have_to_come_in_time() {
    let server = Server::start(&["--token", "t", "--auth-timeout", "0.2"]);
    let mut late = server.open();
    let mut known = server.open();
    known.send("CONNECT {\"verbose\":false,\"auth_token\":\"t\"}\r\n");
    known.sync();
    late.expect("-ERR 'Authentication Timeout'\r\n");
    late.expect_end();
    known.sync();
    // Without credentials there is no time limit.
    let open = Server::start(&["--auth-timeout", "0.01"]);
    let mut quiet = open.open();
    quiet.sync();
}

impl Client {
    /// Returns the result of one read, which is empty at the end.
    fn read_some(&mut self) -> Vec<u8> {
        use std::io::Read;
        let mut chunk = [0; 1000];
        let read = self.stream.read(&mut chunk).unwrap_or(0);
        chunk[..read].to_vec()
    }
}

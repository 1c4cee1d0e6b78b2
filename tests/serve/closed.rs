//! Closed connections and the reasons.

use std::time::Instant;

use serde_json::Value;

use crate::client::Client;
use crate::connz::{column, named, page, page_when, port, rows, start};
use crate::server::{PATIENCE, Server};

/// Returns the reason of the only closed connection, and its row.
fn reason(server: &Server) -> (String, Value) {
    let path = "/connz?state=closed&auth=1";
    let page = page_when(server, path, |page| page["total"] == 1);
    let row = page["connections"][0].clone();
    assert!(row["stop"].as_str() >= row["start"].as_str(), "{row}");
    (row["reason"].as_str().expect("a text").to_owned(), row)
}

#[test]
fn a_client_that_leaves_has_closed_the_connection() {
    let server = start(&[]);
    let (mut client, cid) = named(&server, "left");
    client.send("SUB a 1\r\nPUB a 2\r\nhi\r\n");
    client.sync_past_messages(1);
    let port = port(&client);
    drop(client);
    let (reason, row) = reason(&server);
    assert_eq!(reason, "Client Closed");
    assert_eq!([&row["cid"], &row["port"]], [cid, port.into()]);
    assert_eq!([&row["in_msgs"], &row["out_bytes"]], [1, 2]);
    assert_eq!([&row["name"], &row["lang"]], ["left", "test"]);
    assert_eq!(row["subscriptions"], 1);
}

#[test]
fn each_error_has_its_reason() {
    for (arguments, sent, expected) in [
        (&[][..], "NONSENSE\r\n", "Protocol Violation"),
        (
            &["--max-payload", "1024"],
            "PUB a 5000\r\n",
            "Maximum Message Payload Exceeded",
        ),
        (
            &[],
            &format!("SUB {} 1\r\n", "a".repeat(5000)),
            "Maximum Control Line Exceeded",
        ),
        (
            &[],
            "CONNECT {\"protocol\":7}\r\n",
            "Bad Client Protocol Version",
        ),
        (
            &[],
            "CONNECT {\"no_responders\":true}\r\n",
            "No Responders Requires Headers",
        ),
        (
            &["--token", "right"],
            "CONNECT {\"auth_token\":\"wrong\",\"name\":\"who\"}\r\n",
            "Authentication Failure",
        ),
        (
            &["--token", "right"],
            "PUB a 1\r\nx\r\n",
            "Authentication Failure",
        ),
        (
            &["--token", "right", "--auth-timeout", "0.1"],
            "",
            "Authentication Timeout",
        ),
        (
            &["--ping-interval", "0.1", "--max-pings-out", "1"],
            "CONNECT {}\r\n",
            "Stale Connection",
        ),
    ] {
        let server = start(arguments);
        let mut client = server.open();
        client.send(sent);
        client.read_to_end();
        let (reason, row) = reason(&server);
        assert_eq!(reason, expected, "{sent:.50}");
        // A client has no user before it is authenticated.
        assert_eq!(row["authorized_user"], Value::Null);
    }
    let server = start(&["--max-connections", "1"]);
    let _first = server.connect();
    server.open().read_to_end();
    assert_eq!(reason(&server).0, "Maximum Connections Exceeded");
}

#[test]
fn a_reset_is_an_error() {
    let server = start(&[]);
    let client = server.connect();
    client.end_with_reset();
    drop(client);
    assert_eq!(reason(&server).0, "Read Error");
}

#[test]
fn both_kinds_of_slow_consumers_are_distinguished() {
    // The flags, and the number of messages published after the client stops reading.
    for (arguments, expected) in [
        (["--max-pending", "65536"], "Slow Consumer (Pending Bytes)"),
        (
            ["--write-deadline", "0.2"],
            "Slow Consumer (Write Deadline)",
        ),
    ] {
        let server = start(&arguments);
        let mut slow = Client::with_room(server.port, 4096);
        slow.read_info();
        slow.send("CONNECT {\"verbose\":false}\r\nSUB a 1\r\n");
        slow.sync();
        let mut fast = server.connect();
        let message = format!("PUB a 32000\r\n{}\r\n", "x".repeat(32_000));
        let closed = || page(&server, "/connz?state=closed")["total"] == 1;
        let deadline = Instant::now() + PATIENCE;
        while !closed() && Instant::now() < deadline {
            for _ in 0..20 {
                fast.send(&message);
            }
            fast.sync();
        }
        let (reason, row) = reason(&server);
        assert_eq!(reason, expected);
        assert!(row["pending_bytes"].as_u64() > Some(0), "{row}");
        assert!(row["out_msgs"].as_u64() > Some(0), "{row}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn thousands_that_came_and_went_take_little_memory() {
    let server = start(&["--workers", "2"]);
    // Longer than the stored part.
    let name = "n".repeat(1500);
    let come_and_go = |count: usize| {
        for _ in 0..count {
            named(&server, &name);
        }
    };
    come_and_go(200);
    let before = server.resident();
    come_and_go(1000);
    let closed = page_when(&server, "/connz?state=closed&limit=5000", |page| {
        page["total"] == 1200
    });
    assert_eq!(rows(&closed, "connections").len(), 1200);
    let kept = column(&closed, "name")[0].as_str().map(str::len);
    assert_eq!(kept, Some(128));
    let grown = server.resident().saturating_sub(before);
    // About 700 bytes each, and the memory of the response.
    assert!(grown < 4 << 20, "{grown} bytes");
}

//! Figures by HTTP.

use serde_json::Value;

use crate::http::{get, request};
use crate::server::Server;

#[test]
fn figures_are_those_of_what_happened() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let port = server.http_port();
    let (status, body) = get(port, "/healthz");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert_eq!(body, "{\"status\":\"ok\"}");

    let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("SUB a 1\r\nSUB b 2\r\n");
        client.sync();
    }
    clients[0].send("PUB a 5\r\nhello\r\nPUB c 1\r\nx\r\n");
    for client in &mut clients {
        client.expect("MSG a 1 5\r\nhello\r\n");
    }
    drop(clients.pop());
    // Counters are renewed after each round, and a close needs one.
    let varz = loop {
        clients[0].sync();
        let (_, body) = get(port, "/varz");
        let varz: Value = serde_json::from_str(&body).expect("JSON");
        if varz["connections"] == 3 && varz["subscriptions"] == 6 && varz["out_msgs"] == 4 {
            break varz;
        }
    };
    assert_eq!(varz["total_connections"], 4);
    assert_eq!(varz["in_msgs"], 2);
    assert_eq!(varz["in_bytes"], 6);
    assert_eq!(varz["out_bytes"], 20);
    assert_eq!(varz["slow_consumers"], 0);
    assert_eq!(varz["port"], server.port);
    assert!(varz["server_id"].is_string() && varz["uptime"].is_string());
    assert!(varz["now"].as_str() >= varz["start"].as_str());

    let (status, metrics) = get(port, "/metrics?all");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(
        metrics.contains("\nbroker_out_messages_total 4\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("# TYPE broker_connections gauge\n"),
        "{metrics}"
    );
    // Other allocators than jemalloc do not tell.
    for name in ["allocated", "active", "resident"] {
        let figure = format!("\nbroker_allocator_{name}_bytes ");
        let told = cfg!(feature = "jemalloc");
        assert_eq!(metrics.contains(&figure), told, "{metrics}");
    }
}

#[test]
fn bad_requests_are_refused_and_bounded() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let port = server.http_port();
    assert_eq!(get(port, "/nothing").0, "HTTP/1.1 404 Not Found");
    for bad in [&b"\x00\x01\x02\r\n\r\n"[..], b"POST / HTTP/1.1\r\n\r\n"] {
        assert_eq!(request(port, bad).0, "HTTP/1.1 400 Bad Request");
    }
    // Too long, and never at its end.
    let long = [b"GET / HTTP/1.1\r\nX: ", "x".repeat(100_000).as_bytes()].concat();
    request(port, &long);
    assert_eq!(get(port, "/").0, "HTTP/1.1 200 OK");
    server.connect().sync();
}

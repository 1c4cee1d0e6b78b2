//! Statistics over HTTP.

#[cfg(target_os = "linux")]
use std::io::{BufRead, BufReader};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
#[cfg(target_os = "linux")]
use std::process::{Child, Command, Stdio};
#[cfg(target_os = "linux")]
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::server::{PATIENCE, Server, program};

/// Sends a request. Returns the response's head and body.
fn request(port: u16, text: &[u8]) -> (String, String) {
    let mut stream = open(port);
    stream.write_all(text).expect("it reads");
    let mut answer = String::new();
    // Unread input of a bad request may cause a reset.
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.to_owned(), body.to_owned())
}

fn open(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    stream
}

fn ask(port: u16, method: &str, path: &str) -> (String, String) {
    let text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    request(port, text.as_bytes())
}

/// Returns status and body.
fn get(port: u16, path: &str) -> (String, String) {
    let (head, body) = ask(port, "GET", path);
    (status(&head).to_owned(), body)
}

fn status(head: &str) -> &str {
    head.lines().next().unwrap_or_default()
}

#[test]
fn statistics_match_the_traffic() {
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
    // Counters are updated after each round, and closing a connection takes one.
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
    assert_eq!(varz["config_load_time"], varz["start"]);
    assert_eq!(varz["broker_version"], env!("CARGO_PKG_VERSION"));
    let info = Client::to(server.port).read_info();
    assert_eq!(varz["version"], info["version"]);
    assert_eq!(varz["http_host"], "127.0.0.1");
    assert_eq!(varz["http_port"], port);
    assert_eq!(varz["max_memory"], 1 << 30);
    assert_eq!(varz["max_subscriptions"], 65_536);
    assert_eq!(varz["leafnodes"], 0);
    assert_eq!(varz["slow_consumer_stats"]["clients"], 0);
    assert_eq!(varz["http_req_stats"]["/healthz"], 1);
    assert!(varz["http_req_stats"]["/varz"].as_u64() >= Some(1));

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
    // Allocators other than jemalloc have no statistics.
    let info = Command::new(program()).arg("info").output();
    let info = String::from_utf8(info.expect("the executable starts").stdout).expect("UTF-8");
    let told = info.contains("jemalloc");
    for name in ["allocated", "active", "resident"] {
        let figure = format!("\nbroker_allocator_{name}_bytes ");
        assert_eq!(metrics.contains(&figure), told, "{metrics}");
    }
}

#[test]
fn bad_requests_are_refused_and_bounded() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let port = server.http_port();
    assert_eq!(get(port, "/nothing").0, "HTTP/1.1 404 Not Found");
    let (head, _) = request(port, b"\x00\x01\x02\r\n\r\n");
    assert_eq!(status(&head), "HTTP/1.1 400 Bad Request");
    // Too long and never complete: it still gets a response.
    let long = [b"GET / HTTP/1.1\r\nX: ", "x".repeat(100_000).as_bytes()].concat();
    let (head, _) = request(port, &long);
    assert_eq!(status(&head), "HTTP/1.1 400 Bad Request");
    assert_eq!(get(port, "/").0, "HTTP/1.1 200 OK");
    server.connect().sync();
}

#[test]
fn methods_are_answered_as_http_has_them() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let port = server.http_port();
    for path in ["/", "/healthz"] {
        let (get_head, get_body) = ask(port, "GET", path);
        let (head, body) = ask(port, "HEAD", path);
        assert_eq!(head, get_head);
        assert_eq!(body, "");
        let length = format!("\r\nContent-Length: {}\r\n", get_body.len());
        assert!(head.contains(&length), "{head}");
    }
    for path in ["/varz", "*"] {
        let (head, body) = ask(port, "OPTIONS", path);
        assert_eq!(status(&head), "HTTP/1.1 204 No Content");
        assert!(head.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"), "{head}");
        assert_eq!(body, "");
    }
    for method in ["POST", "PUT", "DELETE", "BREW"] {
        let (head, _) = ask(port, method, "/varz");
        assert_eq!(status(&head), "HTTP/1.1 405 Method Not Allowed");
        assert!(head.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"), "{head}");
    }
    let (head, body) = ask(port, "HEAD", "/nothing");
    assert_eq!((status(&head), &body[..]), ("HTTP/1.1 404 Not Found", ""));
}

#[test]
fn a_request_may_come_in_pieces() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let mut stream = open(server.http_port());
    stream.set_nodelay(true).expect("it is TCP");
    for byte in b"GET /healthz HTTP/1.1\r\n\r\n" {
        stream.write_all(&[*byte]).expect("it reads");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
}

#[test]
fn idle_connections_do_not_delay_others() {
    const TOLERABLE: Duration = Duration::from_secs(1);
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let port = server.http_port();
    let start = Instant::now();
    for many in [10, 600] {
        let idle: Vec<_> = (0..many).map(|_| open(port)).collect();
        for _ in 0..10 {
            let start = Instant::now();
            assert_eq!(get(port, "/healthz").0, "HTTP/1.1 200 OK");
            let took = start.elapsed();
            assert!(took < TOLERABLE, "{took:?} beside {many} connections");
        }
        // They are closed, the first one to make room and the last one because of the timeout.
        for mut stream in [&idle[0], &idle[idle.len() - 1]] {
            let mut end = Vec::new();
            match stream.read_to_end(&mut end) {
                Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
                _ => assert_eq!(end, b""),
            }
        }
    }
    assert!(start.elapsed() < PATIENCE);
}

/// Clients that never read their response do not delay others either.
#[test]
fn clients_that_do_not_read_do_not_delay_others() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let port = server.http_port();
    let _unread: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = open(port);
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\n\r\n")
                .expect("it reads");
            stream
        })
        .collect();
    assert_eq!(get(port, "/healthz").0, "HTTP/1.1 200 OK");
}

/// Retrying without a pause would keep a CPU busy.
#[cfg(target_os = "linux")]
#[test]
fn when_files_run_out_it_waits() {
    let server = Scarce::start(64);
    // Accepted or not, they are connected.
    let idle: Vec<_> = (0..200).map(|_| open(server.http)).collect();
    thread::sleep(Duration::from_millis(200));
    let before = server.cpu_ticks();
    thread::sleep(Duration::from_secs(1));
    let used = server.cpu_ticks() - before;
    // A tick is usually a hundredth of a second.
    assert!(used < 30, "{used} ticks");
    drop(idle);
    assert_eq!(get(server.http, "/healthz").0, "HTTP/1.1 200 OK");
}

/// A server with a low limit on open files.
#[cfg(target_os = "linux")]
struct Scarce {
    child: Child,
    http: u16,
}

#[cfg(target_os = "linux")]
impl Scarce {
    fn start(files: usize) -> Self {
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(program())
            .args(["serve", "--workers", "1", "--listen", "127.0.0.1:0"])
            .args(["--http", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the executable starts");
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let line = stderr
            .lines()
            .map(|line| line.expect("UTF-8"))
            .find(|line| line.contains("http monitor on"))
            .expect("it starts");
        let port = line.rsplit(':').next().expect("a port");
        Self {
            child,
            http: port.parse().expect("a number"),
        }
    }

    /// Returns the CPU time used.
    fn cpu_ticks(&self) -> u64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("it runs");
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let times = fields.split_ascii_whitespace().skip(11).take(2);
        times
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Scarce {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

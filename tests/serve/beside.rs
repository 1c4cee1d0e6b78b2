//! Compares the pages of connections and subscriptions with nats-server's: the same clients and the
//! same fields.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::http::request;
use crate::server::{PATIENCE, Process, program};

/// Fields whose values differ between two servers, or over time.
const VARYING: [&str; 16] = [
    "avg_fanout",
    "cache_hit_rate",
    "cid",
    "idle",
    "last_activity",
    "max_fanout",
    "now",
    "num_cache",
    "num_matches",
    "pending_bytes",
    "port",
    "rtt",
    "server_id",
    "start",
    "stop",
    "uptime",
];

/// One of the two servers, with its monitoring port.
struct Server {
    process: Process,
    http: u16,
}

impl Server {
    fn broker(flags: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(["serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command.args(flags);
        Self::start(command)
    }

    fn nats_server(name: &str, settings: &str) -> Self {
        let server = std::env::var_os("HUB").expect("HUB names nats-server's executable file");
        let name = format!("beside-{name}-{}.conf", std::process::id());
        let file = std::env::temp_dir().join(name);
        let settings = format!("listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\n{settings}\n");
        std::fs::write(&file, settings).expect("a file can be written");
        let mut command = Command::new(server);
        command.arg("--config").arg(&file);
        let server = Self::start(command);
        // The file has been read.
        let _ = std::fs::remove_file(file);
        server
    }

    fn start(command: Command) -> Self {
        let process = Process::start(command);
        let http = process.port_after("http monitor on ");
        Self { process, http }
    }

    fn connect(&self, name: &str) -> Client {
        let mut client = Client::to(self.process.port);
        client.read_info();
        client.send(format!(
            "CONNECT {{\"verbose\":false,\"headers\":true,\"name\":\"{name}\",\"lang\":\"test\",\
             \"version\":\"1.0\",\"user\":\"bob\",\"pass\":\"builder\"}}\r\n"
        ));
        client.sync();
        client
    }

    /// Returns a page without varying values, once it shows `count` connections.
    fn page(&self, path: &str, count: Option<usize>) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, body) = get(self.http, path);
            assert_eq!(status, "200 OK", "{path}: {body}");
            let mut page: Value = serde_json::from_str(&body).expect("JSON");
            if count.is_none_or(|count| page["num_connections"] == count) {
                simplify(&mut page);
                return page;
            }
            assert!(Instant::now() < deadline, "{path}: {page:#}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Returns status and body. With HTTP 1.1, nats-server would send the body in chunks.
fn get(port: u16, path: &str) -> (String, String) {
    let (status, body) = request(port, format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes());
    let (_, code) = status.split_once(' ').expect("a version comes first");
    (code.to_owned(), body)
}

/// Replaces varying values by their types, and sorts lists without an order.
fn simplify(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if VARYING.contains(&&name[..]) {
                    *value = match value {
                        Value::String(_) => "a text".into(),
                        Value::Number(_) => "a number".into(),
                        _ => continue,
                    };
                }
                simplify(value);
                if name.starts_with("subscriptions_list")
                    && let Value::Array(list) = value
                {
                    list.sort_by_key(ToString::to_string);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(simplify),
        _ => {}
    }
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn connections_and_subscriptions_are_shown_as_by_nats_server() {
    let servers = [Server::broker(&[]), Server::nats_server("open", "")];
    let mut clients = Vec::new();
    for server in &servers {
        let mut first = server.connect("first");
        let mut second = server.connect("second");
        first.send("SUB a.* 1\r\nSUB b group 2\r\nUNSUB 2 7\r\nSUB c 3\r\nUNSUB 3\r\n");
        first.sync();
        second.send("SUB d 1\r\nPUB a.x 5\r\nhello\r\nHPUB b 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        second.sync();
        first.expect("MSG a.x 1 5\r\nhello\r\nHMSG b 2 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        let gone = server.connect("gone");
        // A client without a name.
        let plain = Client::to(server.process.port);
        drop(gone);
        clients.push((first, second, plain));
    }
    for (path, count) in [
        ("/connz", Some(3)),
        ("/connz?subs=1", Some(3)),
        ("/connz?subs=detail&auth=true", Some(3)),
        ("/connz?offset=1&limit=1", Some(1)),
        ("/connz?sort=msgs_to&limit=1", Some(1)),
        ("/connz?sort=bytes_from&auth=1&limit=1", Some(1)),
        ("/connz?sort=subs&limit=2", Some(2)),
        ("/connz?user=bob", Some(2)),
        ("/connz?user=nobody", Some(0)),
        ("/connz?acc=$G", Some(3)),
        ("/connz?state=closed", Some(1)),
        ("/connz?state=closed&auth=1&sort=stop", Some(1)),
        ("/connz?state=ALL&sort=uptime", Some(4)),
        ("/connz?cid=99999", Some(0)),
        ("/subsz", None),
        ("/subsz?acc=$G", None),
        ("/subscriptionsz?acc=$G&subs=1", None),
        ("/subsz?acc=$G&subs=1&offset=1&limit=1", None),
        ("/subsz?subs=1&test=a.b", None),
        ("/subsz?acc=$G&subs=1&test=z", None),
    ] {
        let [mut broker, mut nats_server] =
            [&servers[0], &servers[1]].map(|it| it.page(path, count));
        // nats-server has its own subscriptions in this account as well.
        for page in [&mut broker, &mut nats_server] {
            for field in ["num_subscriptions", "num_inserts", "num_removes"] {
                if let Some(value) = page.get_mut(field) {
                    *value = Value::Null;
                }
            }
            if let Some(Value::Array(list)) = page.get_mut("subscriptions_list") {
                list.retain(|row| {
                    row["subject"]
                        .as_str()
                        .is_some_and(|it| !it.starts_with('$'))
                });
                page["total"] = Value::Null;
            }
        }
        if path.contains("offset=1&limit=1") {
            // Subscriptions have no order.
            for page in [&mut broker, &mut nats_server] {
                if let Some(list) = page.get_mut("subscriptions_list") {
                    *list = Value::Null;
                }
            }
        }
        assert_eq!(broker, nats_server, "{path}");
    }
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn the_same_queries_are_rejected() {
    let servers = [Server::broker(&[]), Server::nats_server("bad", "")];
    for query in [
        "/connz?sort=age",
        "/connz?sort=stop",
        "/connz?sort=reason&state=open",
        "/connz?sort=stop&state=closed",
        "/connz?auth=2",
        "/connz?auth=T",
        "/connz?subs=x",
        "/connz?subs=Detail",
        "/connz?offset=x",
        "/connz?offset=-1",
        "/connz?limit=-1",
        "/connz?limit=1e3",
        "/connz?cid=-1",
        "/connz?cid=0",
        "/connz?state=gone",
        "/connz?state=Any",
        "/subsz?subs=detail",
        "/subsz?test=a.*",
        "/subsz?test=a..b",
        "/subsz?test=a",
        "/subsz?limit=x",
    ] {
        let [broker, nats_server] = [&servers[0], &servers[1]].map(|it| get(it.http, query).0);
        assert_eq!(broker, nats_server, "{query}");
    }
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn reasons_are_those_of_nats_server() {
    for (name, flags, settings, sent) in [
        ("nonsense", &[][..], "", "NONSENSE\r\n"),
        ("arguments", &[], "", "SUB\r\n"),
        (
            "payload",
            &["--max-payload", "1024"],
            "max_payload: 1024",
            "PUB a 5000\r\n",
        ),
        ("protocol", &[], "", "CONNECT {\"protocol\":7}\r\n"),
        (
            "responders",
            &[],
            "",
            "CONNECT {\"no_responders\":true}\r\n",
        ),
        (
            "headers",
            &[],
            "",
            "CONNECT {}\r\nHPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n",
        ),
        (
            "wrong",
            &["--token", "right"],
            "authorization { token: right }",
            "CONNECT {\"auth_token\":\"wrong\",\"name\":\"n\",\"lang\":\"l\"}\r\n",
        ),
        (
            "silent",
            &["--token", "right", "--auth-timeout", "0.2"],
            "authorization { token: right, timeout: 0.2 }",
            "",
        ),
        (
            "stale",
            &["--ping-interval", "0.2", "--max-pings-out", "1"],
            "ping_interval: 200ms, ping_max: 1",
            "CONNECT {}\r\n",
        ),
    ] {
        let servers = [Server::broker(flags), Server::nats_server(name, settings)];
        let [broker, nats_server] = [&servers[0], &servers[1]].map(|server| {
            let mut client = Client::to(server.process.port);
            client.read_info();
            client.send(sent);
            client.read_to_end();
            server.page("/connz?state=closed", Some(1))
        });
        assert_eq!(broker, nats_server, "{name}");
    }
}

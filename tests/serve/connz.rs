//! The pages of connections and subscriptions.

use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::http::get;
use crate::server::{PATIENCE, Server};

pub(crate) const HTTP: [&str; 2] = ["--http", "127.0.0.1:0"];

pub(crate) fn start(more: &[&str]) -> Server {
    Server::start(&[&HTTP, more].concat())
}

/// Returns the JSON at an existing path.
pub(crate) fn page(server: &Server, path: &str) -> Value {
    let (status, body) = get(server.http_port(), path);
    assert_eq!(status, "HTTP/1.1 200 OK", "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// Returns the page, once `is_right` accepts it: events become visible a moment later.
pub(crate) fn page_when(server: &Server, path: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = page(server, path);
        if is_right(&page) {
            return page;
        }
        assert!(Instant::now() < deadline, "{path}: {page:#}");
        thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn rows<'a>(page: &'a Value, list: &str) -> &'a [Value] {
    page[list].as_array().expect("there is a list")
}

/// Returns the values of a field, row by row.
pub(crate) fn column(page: &Value, field: &str) -> Vec<Value> {
    let all = rows(page, "connections").iter();
    all.map(|row| row[field].clone()).collect()
}

/// Returns a client with this name, and its number.
pub(crate) fn named(server: &Server, name: &str) -> (Client, u64) {
    let mut client = Client::to(server.port);
    let cid = client.read_info()["client_id"].as_u64().expect("a number");
    client.send(format!(
        "CONNECT {{\"verbose\":false,\"headers\":true,\"name\":\"{name}\",\"lang\":\"test\",\
         \"version\":\"1.2.3\",\"user\":\"u-{name}\",\"pass\":\"secret\"}}\r\n"
    ));
    client.sync();
    (client, cid)
}

pub(crate) fn port(client: &Client) -> u16 {
    client.stream.local_addr().expect("it is open").port()
}

#[test]
fn a_connection_is_shown_with_its_traffic() {
    let server = start(&["--workers", "2", "--ping-interval", "0.2"]);
    let (mut first, cid) = named(&server, "first");
    let (mut second, _) = named(&server, "second");
    second.send("SUB a 1\r\nSUB b.* group 2\r\n");
    second.sync();
    first.send("PUB a 5\r\nhello\r\nHPUB a 14 16\r\nNATS/1.0\r\n\r\nXXhi\r\nPUB c 3\r\nxyz\r\n");
    first.sync();
    let all = page_when(&server, "/connz?sort=cid", |page| {
        let row = &page["connections"][1];
        row["out_msgs"] == 2 && page["connections"][0]["in_msgs"] == 3
    });
    assert_eq!(all["num_connections"], 2);
    assert_eq!([&all["total"], &all["offset"], &all["limit"]], [2, 0, 1024]);
    assert!(all["server_id"].is_string() && all["now"].is_string());
    let row = &all["connections"][0];
    for (field, value) in [
        ("cid", Value::from(cid)),
        ("kind", "Client".into()),
        ("type", "nats".into()),
        ("ip", "127.0.0.1".into()),
        ("port", port(&first).into()),
        ("in_msgs", 3.into()),
        ("in_bytes", (5 + 16 + 3).into()),
        ("out_msgs", 0.into()),
        ("out_bytes", 0.into()),
        ("pending_bytes", 0.into()),
        ("subscriptions", 0.into()),
        ("name", "first".into()),
        ("lang", "test".into()),
        ("version", "1.2.3".into()),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    for absent in [
        "stop",
        "reason",
        "authorized_user",
        "tls_version",
        "account",
    ] {
        assert_eq!(row[absent], Value::Null, "{absent}");
    }
    let row = &all["connections"][1];
    assert_eq!(row["out_bytes"], 5 + 16);
    assert_eq!([&row["in_msgs"], &row["subscriptions"]], [0, 2]);
    assert!(row["last_activity"].as_str() > row["start"].as_str());
    // The client takes its time to answer PING.
    second.expect("MSG a 1 5\r\nhello\r\nHMSG a 1 14 16\r\nNATS/1.0\r\n\r\nXXhi\r\nPING\r\n");
    thread::sleep(Duration::from_millis(30));
    second.send("PONG\r\n");
    page_when(&server, "/connz", |page| {
        let rtt = page["connections"][1]["rtt"].as_str().expect("a text");
        let millis = rtt.strip_suffix("ms").map(str::parse::<f64>);
        millis.is_some_and(|number| number.expect("a number") >= 30.0)
    });
}

#[test]
fn pages_go_by_offset_and_limit() {
    // More than one question to a worker returns.
    const COUNT: usize = 600;
    let server = start(&["--workers", "3"]);
    let clients: Vec<_> = (0..COUNT).map(|_| server.connect()).collect();
    let all = page(&server, "/connz");
    assert_eq!([&all["num_connections"], &all["total"]], [COUNT, COUNT]);
    let cids: Vec<_> = column(&all, "cid");
    assert!(cids.is_sorted_by_key(Value::as_u64));
    let mut paged = Vec::new();
    for offset in (0..=COUNT).step_by(250) {
        let part = page(&server, &format!("/connz?offset={offset}&limit=250"));
        assert_eq!([&part["offset"], &part["limit"]], [offset, 250]);
        assert_eq!(part["total"], COUNT);
        let count = (COUNT - offset).min(250);
        assert_eq!(part["num_connections"], count);
        paged.extend(column(&part, "cid"));
    }
    assert_eq!(paged, cids);
    let none = page(&server, "/connz?offset=600");
    assert_eq!([&none["num_connections"], &none["total"]], [0, COUNT]);
    assert_eq!(none["connections"], Value::Array(Vec::new()));
    let usual = page(&server, "/connz?offset=-5&limit=0");
    assert_eq!([&usual["offset"], &usual["limit"]], [0, 1024]);
    drop(clients);
}

#[test]
fn each_order_is_that_of_nats_server() {
    let server = start(&["--workers", "2"]);
    let (mut quiet, first) = named(&server, "quiet");
    thread::sleep(Duration::from_millis(20));
    let (mut busy, second) = named(&server, "busy");
    quiet.sync();
    busy.send("SUB x 1\r\nSUB y 2\r\nPUB x 3\r\nabc\r\nPUB y 3\r\nabc\r\n");
    busy.sync_past_messages(2);
    for (sort, order) in [
        ("cid", [first, second]),
        ("start", [first, second]),
        ("subs", [second, first]),
        ("pending", [first, second]),
        ("msgs_to", [second, first]),
        ("msgs_from", [second, first]),
        ("bytes_to", [second, first]),
        ("bytes_from", [second, first]),
        ("last", [second, first]),
        ("idle", [first, second]),
        ("uptime", [second, first]),
    ] {
        let path = format!("/connz?sort={sort}");
        page_when(&server, &path, |page| column(page, "cid") == order);
    }
    assert_eq!(column(&page(&server, "/connz?sort=rtt"), "cid").len(), 2);
    drop(busy);
    page_when(&server, "/connz", |page| page["total"] == 1);
    quiet.send("PUB a\r\n");
    page_when(&server, "/connz", |page| page["total"] == 0);
    for (sort, order) in [
        ("cid", [first, second]),
        ("stop", [first, second]),
        // "Client Closed" comes before "Protocol Violation".
        ("reason", [second, first]),
        ("uptime", [second, first]),
    ] {
        let path = format!("/connz?state=closed&sort={sort}");
        assert_eq!(column(&page(&server, &path), "cid"), order, "{sort}");
    }
}

#[test]
fn connections_are_chosen_by_number_user_account_and_state() {
    let server = start(&["--workers", "2"]);
    let (one, first) = named(&server, "one");
    let (_two, second) = named(&server, "two");
    let (three, third) = named(&server, "three");
    drop((one, three));
    page_when(&server, "/connz", |page| page["total"] == 1);
    for (query, total, found) in [
        ("", 1, vec![second]),
        ("state=open", 1, vec![second]),
        ("state=CLOSED", 2, vec![first, third]),
        ("state=all", 3, vec![first, second, third]),
        ("state=any&offset=1&limit=1", 3, vec![second]),
        ("user=u-two", 1, vec![second]),
        ("user=u-one", 1, vec![]),
        ("user=u-one&state=all", 3, vec![first]),
        ("acc=%24G&state=all", 3, vec![first, second, third]),
        ("acc=other&state=all", 0, vec![]),
        (&format!("cid={second}"), 1, vec![second]),
        (&format!("cid={third}"), 1, vec![]),
        (&format!("cid={third}&state=closed"), 2, vec![third]),
        ("cid=77777", 1, vec![]),
    ] {
        let all = page(&server, &format!("/connz?{query}"));
        assert_eq!(column(&all, "cid"), found, "{query}");
        assert_eq!(all["total"], total, "{query}");
    }
    let by_number = page(&server, &format!("/connz?cid={second}"));
    assert_eq!(by_number["limit"], 1);
    for (query, user) in [
        ("auth=1&state=all", Value::from("u-one")),
        ("auth=false&state=all", Value::Null),
    ] {
        let all = page(&server, &format!("/connz?{query}"));
        assert_eq!(column(&all, "authorized_user")[0], user, "{query}");
    }
    let text = page(&server, "/connz?auth=1&state=all").to_string();
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_bad_value_is_rejected() {
    let server = start(&[]);
    let port = server.http_port();
    for (path, told) in [
        ("/connz?sort=age", "sort must be one of cid, start, subs,"),
        ("/connz?sort=stop", "sort=stop requires state=closed"),
        (
            "/connz?sort=reason&state=all",
            "sort=reason requires state=closed",
        ),
        ("/connz?auth=maybe", "auth must be true, false"),
        ("/connz?subs=some", "subs must be true, false"),
        ("/connz?offset=x", "offset must be an integer"),
        ("/connz?limit=1.5", "limit must be an integer"),
        ("/connz?cid=-", "cid must be an integer"),
        (
            "/connz?state=ajar",
            "state must be one of open, closed, all",
        ),
        ("/connz?user=%zz", "a % in the query"),
        ("/subsz?subs=detail", "subs must be true, false"),
        ("/subsz?offset=x", "offset must be an integer"),
        ("/subsz?limit=x", "limit must be an integer"),
        (
            "/subscriptionsz?test=a.*",
            "test must be a subject without wildcards",
        ),
    ] {
        let (status, body) = get(port, path);
        assert_eq!(status, "HTTP/1.1 400 Bad Request", "{path}");
        assert!(body.starts_with(told), "{path}: {body}");
    }
    let (_, index) = get(port, "/");
    for path in ["/connz", "/subsz", "/subscriptionsz"] {
        assert!(index.lines().any(|line| line == path), "{index}");
    }
    page(&server, "/connz?auth=&subs=&state=&limit=&unknown=x");
    let counts = &server.varz()["http_req_stats"];
    assert_eq!([&counts["/connz"], &counts["/subsz"]], [11, 3]);
}

#[test]
fn connections_are_shown_while_clients_are_busy() {
    let server = start(&["--workers", "2"]);
    let mut subscriber = server.connect();
    subscriber.send("SUB a 1\r\n");
    subscriber.sync();
    let mut reader = subscriber.writing_half();
    let reading = thread::spawn(move || reader.read_to_end());
    let mut publisher = server.connect();
    let messages = "PUB a 16\r\n0123456789abcdef\r\n".repeat(1000);
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        publisher.send(&messages);
        let all = page(&server, "/connz?subs=detail&sort=msgs_from");
        assert_eq!(all["num_connections"], 2);
    }
    publisher.sync();
    let all = page(&server, "/connz?sort=msgs_from");
    let count = all["connections"][0]["in_msgs"].as_u64().expect("a number");
    assert!(count > 0 && count.is_multiple_of(1000), "{count}");
    assert_eq!(server.varz()["in_msgs"], count);
    let path = "/connz?sort=msgs_to";
    page_when(&server, path, |page| {
        page["connections"][0]["out_msgs"] == count
    });
    subscriber.stream.shutdown(Shutdown::Both).expect("open");
    reading.join().expect("it reads");
}

#[cfg(feature = "tls")]
#[test]
fn encryption_is_shown() {
    use std::io::Write;

    let files = crate::certificates::Files::new("connz");
    let server = files.server(&HTTP);
    let mut client = files.client(&server, false);
    client
        .write_all(b"CONNECT {}\r\nPING\r\n")
        .expect("written");
    let all = page_when(&server, "/connz", |page| {
        page["connections"][0]["tls_version"].is_string()
    });
    let row = &all["connections"][0];
    assert_eq!(row["tls_version"], "1.3");
    let cipher = row["tls_cipher_suite"].as_str().expect("a text");
    assert!(cipher.starts_with("TLS_"), "{cipher}");
    // One client never begins TLS, and one does not continue.
    for sent in ["PING\r\n", ""] {
        let mut stranger = server.open();
        stranger.send(sent);
        if sent.is_empty() {
            stranger.stream.shutdown(Shutdown::Write).expect("open");
        }
        stranger.read_to_end();
    }
    let path = "/connz?state=closed";
    let all = page_when(&server, path, |page| page["total"] == 2);
    assert_eq!(column(&all, "reason"), ["TLS Handshake Failure"; 2]);
}

impl Client {
    /// Reads `count` messages, skipping other lines, and then waits for the server.
    pub(crate) fn sync_past_messages(&mut self, count: usize) {
        for _ in 0..count {
            while !self.line().starts_with("MSG ") {}
            self.line();
        }
        self.sync();
    }
}

//! Subscriptions, by themselves and of each connection.

use serde_json::Value;

use crate::client::Client;
use crate::connz::{named, page, rows, start};
use crate::http::get;

#[test]
fn subscriptions_are_listed_however_many_they_are() {
    // More than one question to a worker returns.
    const COUNT: usize = 2500;
    let server = start(&["--workers", "2"]);
    let (mut many, cid) = named(&server, "many");
    let lines: Vec<_> = (0..COUNT).map(|n| format!("SUB s.{n} {n}\r\n")).collect();
    many.send(lines.concat());
    many.sync();
    let (mut few, other) = named(&server, "few");
    few.send("SUB t.* workers 9\r\nUNSUB 9 5\r\nPUB t.x 1\r\nx\r\n");
    few.sync_past_messages(1);
    assert_eq!(
        page(&server, "/connz")["connections"][0]["subscriptions_list"],
        Value::Null
    );
    let all = page(&server, "/connz?subs=1");
    let mut listed: Vec<_> = rows(&all["connections"][0], "subscriptions_list").to_vec();
    listed.sort_by_key(|subject| subject.as_str().map(|it| (it.len(), it.to_owned())));
    let expected: Vec<_> = (0..COUNT).map(|n| Value::from(format!("s.{n}"))).collect();
    assert_eq!(listed, expected);
    let few = &page(&server, "/connz?subs=detail")["connections"][1];
    let detail = rows(few, "subscriptions_list_detail");
    let expected = serde_json::json!({
        "subject": "t.*", "qgroup": "workers", "sid": "9", "msgs": 1, "max": 5, "cid": other,
    });
    assert_eq!(detail, std::slice::from_ref(&expected));
    assert_eq!(few["subscriptions_list"], Value::Null);

    // The same by themselves.
    for path in [
        "/subsz",
        "/subscriptionsz",
        "/subsz?subs=0",
        "/subsz?subs=1&offset=9999",
    ] {
        let figures = page(&server, path);
        assert_eq!(figures["num_subscriptions"], COUNT + 1);
        assert_eq!(figures["num_inserts"], COUNT + 1);
        assert_eq!([&figures["num_removes"], &figures["num_matches"]], [0, 1]);
        assert_eq!([&figures["num_cache"], &figures["max_fanout"]], [1, 1]);
        assert_eq!(
            [&figures["cache_hit_rate"], &figures["avg_fanout"]],
            [0.0, 1.0]
        );
        assert_eq!(figures["subscriptions_list"], Value::Null, "{path}");
    }
    let mut sids = Vec::new();
    for offset in (0..=COUNT).step_by(1200) {
        let part = page(
            &server,
            &format!("/subsz?subs=1&offset={offset}&limit=1200"),
        );
        let count = (COUNT + 1 - offset).min(1200);
        assert_eq!(
            [&part["total"], &part["offset"], &part["limit"]],
            [count, offset, 1200]
        );
        let list = rows(&part, "subscriptions_list");
        assert!(list.iter().all(|row| row["account"] == "$G"));
        sids.extend(
            list.iter()
                .map(|row| (row["cid"].as_u64(), row["sid"].to_string())),
        );
    }
    sids.sort();
    sids.dedup();
    assert_eq!(sids.len(), COUNT + 1);
    let usual = page(&server, "/subsz?subs=true");
    assert_eq!([&usual["total"], &usual["limit"]], [1024, 1024]);
    let mut expected = expected;
    expected["account"] = "$G".into();
    let tested = page(&server, "/subsz?subs=1&test=t.whatever");
    assert_eq!(rows(&tested, "subscriptions_list"), [expected]);
    let tested = page(&server, "/subsz?subs=1&test=s.77&acc=$G");
    assert_eq!(tested["subscriptions_list"][0]["cid"], cid);
    assert_eq!(tested["total"], 1);
    for nothing in ["test=t.a.b&subs=1", "acc=other&subs=1"] {
        let page = page(&server, &format!("/subsz?{nothing}"));
        assert_eq!(page["subscriptions_list"], Value::Null, "{nothing}");
    }
    assert_eq!(page(&server, "/subsz?acc=other")["num_subscriptions"], 0);
}

/// Returns this number of subjects of 3,000 bytes.
fn long_subjects(count: usize) -> String {
    let long = "x".repeat(3000);
    let lines = (0..count).map(|n| format!("SUB {long}.{n} {n}\r\n"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn a_list_that_is_too_long_is_refused() {
    let server = start(&[]);
    let mut client = server.connect();
    client.send(long_subjects(2000));
    client.sync();
    for path in [
        "/subsz?subs=1&limit=2000",
        "/connz?subs=1",
        "/connz?subs=detail",
    ] {
        let (status, body) = get(server.http_port(), path);
        assert_eq!(status, "HTTP/1.1 400 Bad Request", "{path}");
        assert!(body.starts_with("the response would exceed 4 MiB"));
    }
    let part = page(&server, "/subsz?subs=1&limit=500&offset=1500");
    assert_eq!(part["total"], 500);
}

#[test]
fn unread_responses_are_bounded() {
    let server = start(&[]);
    let mut client = server.connect();
    client.send(long_subjects(1300));
    client.sync();
    let path = "/subsz?subs=1&limit=1300";
    let port = server.http_port();
    assert_eq!(get(port, path).0, "HTTP/1.1 200 OK");
    // On a busy machine the first one may be closed before the last one sends its request.
    let mut unread = Vec::new();
    let refused = (0..10).any(|_| {
        for _ in 0..5 {
            let mut client = Client::with_room(port, 4096);
            client.send(format!("GET {path} HTTP/1.1\r\n\r\n"));
            unread.push(client);
        }
        let (status, body) = get(port, path);
        status == "HTTP/1.1 503 Service Unavailable" && body.contains("try again later")
    });
    assert!(refused);
    // Small responses are still sent.
    assert_eq!(get(port, "/healthz").0, "HTTP/1.1 200 OK");
    drop(unread);
    page(&server, "/subsz?subs=1&limit=10");
}

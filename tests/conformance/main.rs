//! Asserts that the built `broker` gives every answer in `cases.txt`. The reference is nats-server:
//! `SERVER_UNDER_TEST=nats-server:/usr/sbin/nats-server cargo test --test conformance`.

#![forbid(unsafe_code)]

#[path = "../clients/certificates.rs"]
#[allow(dead_code, reason = "the table has no TLS rows")]
mod certificates;
mod client;
#[path = "../clients/server.rs"]
#[allow(dead_code, reason = "no server is restarted")]
mod server;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use client::Client;
use server::{Description, Server};
use table::{Part, Row};

/// The server's answers to a row, by client.
type Answers = BTreeMap<char, Vec<u8>>;

fn description(words: &'static str) -> Description {
    let mut description = Description::default();
    match *words.split(' ').collect::<Vec<_>>() {
        ["user", name, password] => description.user = Some((name, password)),
        ["token", token] => description.token = Some(token),
        ["max_payload", bytes] => {
            description.max_payload = Some(bytes.parse().expect("a number of bytes"));
        }
        ["config", file] => {
            description.config = Some(Path::new("tests/conformance").join(file));
        }
        [""] => {}
        _ => panic!("no server is described by {words}"),
    }
    description
}

/// Sends a row and collects the answers. Waits for the expected ones, so a server that delivers in
/// other threads passes as well.
fn answers(address: &str, row: &Row, expected: &[Part], at_a_time: usize) -> Answers {
    let mut clients = BTreeMap::new();
    for part in &row.sent {
        let client = clients
            .entry(part.client)
            .or_insert_with(|| Client::open(address, row.connect));
        client.carry_out(part, at_a_time);
    }
    let given = clients.into_iter().map(|(name, mut client)| {
        let part = expected.iter().find(|part| part.client == name);
        client.wait_for(part.map_or(b"", |part| &part.bytes));
        (name, client.end())
    });
    given.filter(|(_, answer)| !answer.is_empty()).collect()
}

/// The variable is that of [`Server`].
fn is_broker() -> bool {
    let named = std::env::var("SERVER_UNDER_TEST").unwrap_or_default();
    !named.starts_with("nats-server:")
}

fn is_as_expected(answers: &Answers, expected: &[Part]) -> bool {
    answers.len() == expected.len()
        && expected.iter().all(|part| {
            let answer = answers.get(&part.client);
            answer.is_some_and(|answer| table::matches(&part.bytes, answer))
        })
}

/// Checks the rows, sent in pieces of `at_a_time` bytes.
fn check<'r>(rows: impl Iterator<Item = &'r Row>, at_a_time: usize) {
    let broker = is_broker();
    let mut servers = HashMap::new();
    let mut failures = String::new();
    for row in rows {
        let server = servers
            .entry(row.server)
            .or_insert_with(|| Server::described(description(row.server)));
        let address = server.address();
        let expected = match &row.broker {
            Some(of_broker) if broker => of_broker,
            _ => &row.answer,
        };
        let address = address.trim_start_matches("nats://");
        let found = answers(address, row, expected, at_a_time);
        if !is_as_expected(&found, expected) {
            let _ = writeln!(failures, "cases.txt:{}: {:.300}", row.line, row.text);
            for (client, answer) in found {
                let answer = answer.escape_ascii().to_string();
                let _ = writeln!(failures, "    found {client}: {answer:.300}");
            }
        }
    }
    // The servers' logs would hide the failure.
    drop(servers);
    assert!(failures.is_empty(), "rows that failed:\n{failures}");
}

#[test]
fn every_row_gets_its_answer() {
    let rows = table::rows();
    assert!(rows.len() >= 400, "{} rows", rows.len());
    check(rows.iter(), usize::MAX);
}

#[test]
fn rows_are_answered_the_same_one_byte_at_a_time() {
    const LONGEST: usize = 250;
    // nats-server reports a PUB that arrives in pieces twice, and leaves out `\r`.
    if !is_broker() {
        return;
    }
    let short = |row: &&Row| row.sent.iter().all(|part| part.bytes.len() < LONGEST);
    check(table::rows().iter().filter(short), 1);
}

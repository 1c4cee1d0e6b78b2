//! Clients that cause much output and do not read it.

use std::net::Shutdown;
use std::time::Duration;

use crate::arena::{Attack, scaled};
use crate::attacker::{Attacker, frames};

const SMALL_PENDING: &[&str] = &["--max-pending", "1048576"];

/// Sends the same bytes while the server accepts them.
fn repeat(target: &crate::arena::Target, attacker: &mut Attacker, bytes: &str) {
    while target.goes_on() && attacker.send(bytes) {}
}

#[test]
fn unread_pongs() {
    Attack::new("pongs").flags(SMALL_PENDING).run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        repeat(target, &mut attacker, &"PING\r\n".repeat(20_000));
    });
}

#[test]
fn pongs_that_are_read_too_slowly() {
    // A deadline measured from the last progress would restart with each read.
    let flags = [SMALL_PENDING, &["--write-deadline", "0.3"]].concat();
    Attack::new("trickle").flags(&flags).run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        let pings = "PING\r\n".repeat(20_000);
        while target.goes_on() && attacker.send(&pings) && attacker.read_a_little() {}
    });
}

#[test]
fn unread_acknowledgements_and_errors() {
    Attack::new("verbose").flags(SMALL_PENDING).run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        attacker.send("CONNECT {\"verbose\":true,\"pedantic\":true}\r\n");
        let text = "UNSUB 1\r\nSUB a..b 1\r\n".repeat(10_000);
        repeat(target, &mut attacker, &text);
    });
}

#[test]
fn unread_503s() {
    Attack::new("refusals").flags(SMALL_PENDING).run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        attacker.send("SUB answers.of.nobody 1\r\n");
        let text = "PUB nobody answers.of.nobody 0\r\n\r\n".repeat(5000);
        repeat(target, &mut attacker, &text);
    });
}

#[test]
fn half_closed_connections_with_unread_answers() {
    Attack::new("halves").flags(SMALL_PENDING).run(|target| {
        let mut attackers = target.connect_many(scaled(100, 30));
        let pings = "PING\r\n".repeat(20_000);
        for attacker in &mut attackers {
            if !target.goes_on() {
                break;
            }
            attacker.send(&pings);
            let _ = attacker.stream.shutdown(Shutdown::Write);
        }
        while target.goes_on() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn one_client_with_thousands_of_subscriptions_to_everything() {
    // Each message becomes 2000 for a client that reads none.
    Attack::new("fan-out").flags(SMALL_PENDING).run(|target| {
        let (Some(mut stuck), Some(mut publisher)) = (target.connect(), target.connect()) else {
            return;
        };
        stuck.send(frames(2000, |n| format!("SUB wide.> {n}\r\n")));
        stuck.sync();
        let frame = format!("PUB wide.a 1024\r\n{}\r\n", "x".repeat(1024));
        repeat(target, &mut publisher, &frame.repeat(10));
    });
}

#[test]
fn storms_of_replies() {
    // Every client answers every other client's requests, to an inbox that is never read.
    Attack::new("replies").flags(SMALL_PENDING).run(|target| {
        let mut attackers = target.connect_many(50);
        for attacker in &mut attackers {
            attacker.send("SUB storm.> 1\r\n");
        }
        let storm = "PUB storm.a storm.b 16\r\n0123456789abcdef\r\n".repeat(20);
        while target.goes_on() && !attackers.is_empty() {
            attackers.retain_mut(|attacker| target.goes_on() && attacker.send(&storm));
        }
    });
}

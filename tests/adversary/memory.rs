//! Clients that make the server store more than they send.

use crate::arena::{Attack, scaled};
use crate::attacker::frames;

#[test]
fn a_cache_of_routes_whose_entries_are_replaced() {
    let flags = ["--max-subscriptions", "1000000"];
    Attack::new("routes").flags(&flags).run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        attacker.send("CONNECT {\"verbose\":false,\"echo\":false}\r\n");
        let subscriptions = scaled(100_000, 10_000);
        attacker.send(frames(subscriptions, |n| format!("SUB x.> {n}\r\n")));
        attacker.sync();
        // Each of the first entries has 100,000 targets; the others replace them.
        let replacing = frames(16_000, |n| format!("PUB y.{n} 0\r\n\r\n"));
        for n in 0.. {
            let frame = format!("PUB x.{n} 0\r\n\r\n");
            if !target.goes_on() || !attacker.send(frame) || !attacker.send(&replacing) {
                break;
            }
        }
    });
}

#[test]
fn subscriptions_of_many_tokens() {
    Attack::new("tokens").run(|target| {
        let mut attackers = target.connect_many(8);
        let tokens = ".a".repeat(254);
        for (index, attacker) in attackers.iter_mut().enumerate() {
            // The first tokens differ, so nothing is shared.
            let subscription = |n| format!("SUB {index}-{n}{tokens}.{n} {n}\r\n");
            attacker.send(frames(500, subscription));
            attacker.sync();
        }
    });
}

#[test]
fn small_messages_that_hold_large_buffers() {
    let flags = ["--max-pending", "33554432"];
    Attack::new("buffers").flags(&flags).run(|target| {
        let (Some(mut stuck), Some(mut publisher)) = (target.connect(), target.connect()) else {
            return;
        };
        stuck.send("SUB kept 1\r\n");
        stuck.sync();
        let kept = "k".repeat(4096);
        let filler = "f".repeat(60_000);
        let frame = format!("PUB kept 4096\r\n{kept}\r\nPUB nobody 60000\r\n{filler}\r\n");
        for _ in 0..scaled(6400, 3000) {
            if !publisher.send(&frame) {
                break;
            }
        }
        publisher.sync();
    });
}

#[test]
fn incomplete_payloads() {
    Attack::new("incomplete payloads").run(|target| {
        let mut attackers = target.connect_many(300);
        let frame = format!("PUB half 1048576\r\n{}", "x".repeat(1_000_000));
        attackers.retain_mut(|attacker| attacker.send(&frame));
    });
}

#[test]
fn headers_as_large_as_a_message() {
    Attack::new("headers").run(|target| {
        let (Some(mut subscriber), Some(mut publisher)) = (target.connect(), target.connect())
        else {
            return;
        };
        subscriber.send("SUB headed 1\r\n");
        subscriber.sync();
        subscriber.discard();
        let lines = "a:b\r\n".repeat(200_000);
        let block = format!("NATS/1.0\r\n{lines}\r\n");
        let length = block.len();
        let frame = format!("HPUB headed answers {length} {length}\r\n{block}\r\n");
        while target.goes_on() && publisher.send(&frame) {}
    });
}

#[test]
fn clients_that_do_not_read_what_they_all_publish() {
    // Each client stays below its own limit; together they exceed the memory limit.
    Attack::new("together").run(|target| {
        let mut attackers = target.connect_many(40);
        for attacker in &mut attackers {
            attacker.send("SUB heavy 1\r\n");
            attacker.sync();
        }
        let Some(mut publisher) = target.connect() else {
            return;
        };
        let frame = format!("PUB heavy 100000\r\n{}\r\n", "x".repeat(100_000));
        while target.goes_on() && publisher.send(&frame) {}
    });
}

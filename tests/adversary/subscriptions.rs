//! Subscriptions that cost the server more than the client.

use std::net::Shutdown;

use crate::arena::{Attack, scaled};
use crate::attacker::frames;

/// Enough for any attack: the tests examine what subscriptions cost, not whether they are limited.
const MANY: &[&str] = &["--max-subscriptions", "1000000"];

#[test]
fn many_on_one_subject_that_end_with_the_connection() {
    let attack = Attack::new("disconnect").flags(MANY).max_memory(256);
    attack.run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        let subscriptions = scaled(400_000, 20_000);
        attacker.send(frames(subscriptions, |n| format!("SUB x {n}\r\n")));
        attacker.sync();
    });
}

#[test]
fn many_on_one_subject_that_end_one_by_one() {
    let attack = Attack::new("unsubscribe").flags(MANY).max_memory(256);
    attack.run(|target| {
        let Some(mut attacker) = target.connect() else {
            return;
        };
        let count = scaled(100_000, 10_000);
        attacker.send(frames(count, |n| format!("SUB x {n}\r\n")));
        attacker.sync();
        // From the first one on, and then from the middle in both directions.
        attacker.send(frames(count / 2, |n| format!("UNSUB {n}\r\n")));
        attacker.send(frames(count / 2, |n| format!("UNSUB {}\r\n", count - n)));
        attacker.sync();
    });
}

#[test]
fn many_queues_on_one_subject() {
    Attack::new("queues").flags(MANY).run(|target| {
        let (Some(mut members), Some(mut publisher)) = (target.connect(), target.connect()) else {
            return;
        };
        let queues = scaled(20_000, 2000);
        members.send(frames(queues, |n| format!("SUB x queue-{n} {n}\r\n")));
        members.sync();
        members.discard();
        publisher.send("PUB x 0\r\n\r\n".repeat(20));
        publisher.sync();
    });
}

#[test]
fn queues_of_one_that_come_and_go() {
    Attack::new("queues with one member")
        .flags(MANY)
        .run(|target| {
            let Some(mut attacker) = target.connect() else {
                return;
            };
            attacker.discard();
            let mut round = 0;
            while target.goes_on() {
                round += 1;
                let frame = |n| format!("SUB one q{round}-{n} {n}\r\nPUB one 0\r\n\r\n");
                let gone = |n| format!("UNSUB {n}\r\n");
                if !attacker.send(frames(200, frame)) || !attacker.send(frames(200, gone)) {
                    break;
                }
            }
        });
}

#[test]
fn many_that_come_and_go() {
    Attack::new("churn").flags(MANY).run(|target| {
        let mut attackers = target.connect_many(2);
        let mut round = 0;
        while target.goes_on() {
            round += 1;
            let churn = |n| format!("SUB churn.{round}.*.{n}.> {n}\r\nUNSUB {n}\r\n");
            let text = frames(1000, churn);
            if !attackers.iter_mut().all(|attacker| attacker.send(&text)) {
                break;
            }
        }
    });
}

/// All patterns of `a` and `*` with this number of tokens, each followed by a token that no message
/// has.
fn patterns(places: usize) -> impl Fn(usize) -> String {
    move |number| {
        let token = |place: usize| if number >> place & 1 == 0 { "a." } else { "*." };
        let tokens: String = (0..places).map(token).collect();
        format!("SUB {tokens}z {number}\r\n")
    }
}

/// 64 KiB of messages that each match all patterns except for the last token.
fn near_misses(places: usize, from: usize) -> String {
    let tokens = "a.".repeat(places);
    frames(1489, |n| format!("PUB {tokens}{} 0\r\n\r\n", from + n))
}

#[test]
fn wildcards_that_each_message_almost_matches() {
    Attack::new("wildcards").flags(MANY).run(|target| {
        let places = scaled(16, 12);
        let (Some(mut subscriber), Some(mut publisher)) = (target.connect(), target.connect())
        else {
            return;
        };
        subscriber.send(frames(1 << places, patterns(places)));
        subscriber.sync();
        // One read's worth: half a minute of work, at 21 ms per message.
        publisher.send(near_misses(places, 0));
        publisher.sync();
    });
}

#[test]
fn wildcards_from_many_connections() {
    Attack::new("wildcards of many connections").run(|target| {
        let places = scaled(15, 12);
        let connections = 16;
        let mut attackers = target.connect_many(connections);
        let pattern = patterns(places);
        let share = (1 << places) / connections;
        for (index, attacker) in attackers.iter_mut().enumerate() {
            attacker.send(frames(share, |n| pattern(index * share + n)));
            attacker.sync();
        }
        for (index, attacker) in attackers.iter_mut().enumerate() {
            attacker.send(&near_misses(places, index * 1489)[..4096]);
            // The rest of its last frame does not matter.
            let _ = attacker.stream.shutdown(Shutdown::Write);
        }
        while target.goes_on() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
}

//! Floods of messages.

use std::thread;

use crate::arena::Attack;
use crate::attacker::frames;

#[test]
fn one_subject_that_is_read() {
    Attack::new("one subject").run(|target| {
        let (Some(mut subscriber), Some(mut publisher)) = (target.connect(), target.connect())
        else {
            return;
        };
        subscriber.send("SUB flood 1\r\n");
        subscriber.sync();
        subscriber.discard();
        let text = "PUB flood 16\r\n0123456789abcdef\r\n".repeat(2000);
        while target.goes_on() && publisher.send(&text) {}
    });
}

#[test]
fn a_subject_for_each_message() {
    Attack::new("disjoint subjects").run(|target| {
        let publishers = target.connect_many(2);
        thread::scope(|scope| {
            for (index, mut publisher) in publishers.into_iter().enumerate() {
                scope.spawn(move || {
                    let mut round = 0;
                    while target.goes_on() {
                        round += 1;
                        let frame = |n| format!("PUB flood.{index}.{round}.{n} 0\r\n\r\n");
                        if !publisher.send(frames(2000, frame)) {
                            break;
                        }
                    }
                });
            }
        });
    });
}

#[test]
fn messages_of_the_largest_size() {
    Attack::new("large").run(|target| {
        let (Some(mut subscriber), Some(mut publisher)) = (target.connect(), target.connect())
        else {
            return;
        };
        subscriber.send("SUB large 1\r\n");
        subscriber.sync();
        subscriber.discard();
        let frame = format!("PUB large 1048576\r\n{}\r\n", "x".repeat(1 << 20));
        while target.goes_on() && publisher.send(&frame) {}
    });
}

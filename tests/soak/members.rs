//! Visitors that take part: as members of queue groups, as responders, and as readers that check
//! their messages.

use std::collections::HashMap;

use fastrand::Rng;

use crate::client::Frame;
use crate::ledger::{DRAINERS, Group, MORTALS};
use crate::message;
use crate::requests::{HOPES, answer};
use crate::run::Run;
use crate::visitor::Visitor;

/// Most rounds in which a member processes messages.
const MOST_ROUNDS: u32 = 20;

/// The longest time between two rounds.
const PAUSE_MS: u64 = 8;

/// The subject for messages of leaving visitors, the largest number of such messages, and the most
/// bytes of each besides its number.
pub(crate) const FAREWELLS: &str = "farewells";
const MOST_FAREWELLS: u32 = 12;
const MOST_PADDING: usize = 6000;

/// Joins, works and drains. The member has processed everything before its last PONG, so nothing
/// may be missing.
pub(crate) fn drain(run: &Run, rng: &mut Rng) {
    let group = &run.ledger.groups[DRAINERS];
    let mut visitor = Visitor::connect(run, rng);
    visitor.send(format!("SUB work.> {} 1\r\n", group.name));
    if visitor.rng.u32(..3) == 0 {
        let max = visitor.rng.u32(1..100);
        visitor.send(format!("UNSUB 1 {max}\r\n"));
    }
    let mut goes_on = true;
    for _ in 0..visitor.rng.u32(..MOST_ROUNDS) {
        goes_on &= visitor.process(|visitor, frame| note(visitor, &frame, group));
        visitor.pause(PAUSE_MS);
    }
    goes_on &= visitor.send("UNSUB 1\r\n");
    goes_on &= visitor.process(|visitor, frame| note(visitor, &frame, group));
    if !goes_on {
        run.fault("the server has closed the connection of a client that reads and drains");
    }
}

/// Publishes and leaves in a way after which everything that was sent counts: with a half-close, or
/// after a PONG.
pub(crate) fn say_farewell(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::connect(run, rng);
    let mut frames = Vec::new();
    for _ in 0..visitor.rng.u32(1..MOST_FAREWELLS) {
        let number = run.ledger.farewells.issue();
        let text = format!("{number} {}", "x".repeat(visitor.rng.usize(..MOST_PADDING)));
        frames.extend(format!("PUB {FAREWELLS} {}\r\n{text}\r\n", text.len()).into_bytes());
    }
    let sent = visitor.send(frames);
    if visitor.rng.bool() {
        visitor.half_close();
    } else if visitor.process(|_, _| {}) {
        visitor.client.end_with_reset();
    } else {
        run.fault("the server has closed the connection of a client that only publishes");
    }
    if !sent {
        run.fault("the server has not read the last messages");
    }
}

/// Joins and dies, losing its messages.
pub(crate) fn die(run: &Run, rng: &mut Rng) {
    let group = &run.ledger.groups[MORTALS];
    let mut visitor = Visitor::connect(run, rng);
    visitor.send(format!("SUB work.> {} 1\r\n", group.name));
    for _ in 0..visitor.rng.u32(..MOST_ROUNDS) {
        if !visitor.process(|visitor, frame| note(visitor, &frame, group)) {
            return;
        }
        visitor.pause(PAUSE_MS);
    }
    visitor.leave();
}

/// Counts a message for a group.
fn note(visitor: &Visitor, frame: &Frame, group: &Group) {
    let noted = numbers(frame).and_then(|(publisher, number)| group.came(publisher, number));
    if let Err(fault) = noted {
        visitor.run.fault(fault);
    }
}

fn numbers(frame: &Frame) -> Result<(usize, u64), String> {
    let Frame::Message {
        subject,
        headers,
        payload,
        ..
    } = frame
    else {
        return Err(format!("{frame:?}"));
    };
    message::read(subject, headers, payload)
}

/// Answers requests for a while, and dies with some unanswered.
pub(crate) fn help(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::connect(run, rng);
    visitor.send(format!("SUB {HOPES} helpers 1\r\n"));
    for _ in 0..visitor.rng.u32(..MOST_ROUNDS) {
        let goes_on = visitor.process(|visitor, frame| {
            if let Some(answer) = answer(&frame) {
                visitor.send(answer);
            }
        });
        if !goes_on {
            return;
        }
        visitor.pause(PAUSE_MS);
    }
    visitor.leave();
}

/// Reads all messages of the steady publishers for a while, and checks that none is missing from
/// the first one on.
pub(crate) fn listen(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::connect(run, rng);
    visitor.send("SUB work.> 1\r\n");
    let mut expected = HashMap::new();
    for _ in 0..visitor.rng.u32(..MOST_ROUNDS) {
        let goes_on = visitor.process(|visitor, frame| match numbers(&frame) {
            Ok((publisher, number)) => {
                let next = expected.insert(publisher, number + 1).unwrap_or(number);
                if next != number {
                    let text =
                        format!("a listener got {number} of publisher {publisher}, not {next}");
                    visitor.run.fault(text);
                }
            }
            Err(fault) => visitor.run.fault(fault),
        });
        if !goes_on {
            return;
        }
        visitor.pause(PAUSE_MS);
    }
    visitor.leave();
}

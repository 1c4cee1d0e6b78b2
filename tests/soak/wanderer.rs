//! A visitor that uses all features of clients, in any order.

use std::io::Write as _;

use fastrand::Rng;

use crate::run::{Run, count};
use crate::visitor::Visitor;

/// Subscriptions of wanderers. They include the steady readers' patterns, so the routes of these
/// change all the time.
const PATTERNS: [&str; 16] = [
    "noise.a",
    "noise.b",
    "noise.a.b",
    "noise.b.a",
    "noise.*",
    "noise.*.a",
    "noise.a.*",
    "noise.b.>",
    "work.>",
    "work.1.*",
    "work.3.1",
    "*.0.>",
    "questions",
    "answers.>",
    "nobody.publishes.here",
    ">",
];

const GROUPS: [&str; 3] = ["one", "two", "three"];

/// Most subscriptions of a wanderer; it may reuse a sid.
const SIDS: usize = 6;

/// Most doublings of a payload of 16 bytes: up to 64 KiB.
const MOST_DOUBLINGS: u32 = 12;

const MOST_STEPS: usize = 30;

pub(crate) fn wander(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::open(run, rng);
    let (sent, has_headers) = connect(&mut visitor);
    if !sent {
        return;
    }
    for _ in 0..visitor.rng.usize(..=MOST_STEPS) {
        if !step(&mut visitor, has_headers) {
            // The server may close the connection.
            return;
        }
    }
    visitor.leave();
}

/// Sends a random CONNECT, or none. Returns whether it was sent, and whether headers are allowed.
fn connect(visitor: &mut Visitor) -> (bool, bool) {
    let rng = &mut *visitor.rng;
    if rng.u32(..20) == 0 {
        return (true, false);
    }
    let [verbose, pedantic, echo] = [rng.u32(..4) == 0, rng.u32(..4) == 0, rng.bool()];
    let has_headers = rng.bool();
    let no_responders = has_headers && rng.bool();
    let text = format!(
        "CONNECT {{\"verbose\":{verbose},\"pedantic\":{pedantic},\"echo\":{echo},\
         \"headers\":{has_headers},\"no_responders\":{no_responders}}}\r\n"
    );
    (visitor.send(text), has_headers)
}

fn step(visitor: &mut Visitor, has_headers: bool) -> bool {
    let id = visitor.id;
    let sid = visitor.rng.usize(..SIDS);
    match visitor.rng.u32(..100) {
        0..20 => {
            let pattern = visitor.rng.choice(PATTERNS).unwrap_or("noise.a");
            visitor.send(format!("SUB {pattern} {sid}\r\n"))
        }
        20..28 => {
            let pattern = visitor.rng.choice(PATTERNS).unwrap_or("noise.a");
            let group = visitor.rng.choice(GROUPS).unwrap_or("one");
            visitor.send(format!("SUB {pattern} {group} {sid}\r\n"))
        }
        28..34 => visitor.send(format!("UNSUB {sid}\r\n")),
        34..40 => {
            let max = visitor.rng.u32(1..20);
            visitor.send(format!("UNSUB {sid} {max}\r\n"))
        }
        40..60 => publish(visitor, has_headers),
        // A request without responders: a client that asked for it gets a 503.
        60..66 => visitor.send(format!(
            "SUB own.{id}.* own\r\nPUB nobody.is.here own.{id}.1 2\r\nhi\r\n"
        )),
        66..72 => visitor.send("PING\r\n"),
        72..74 => visitor.send("SUB a..b x\r\nPUB a..b 1\r\nx\r\nUNSUB\r\n"),
        74..90 => visitor.read(16 * 1024),
        _ => {
            visitor.pause(15);
            true
        }
    }
}

fn publish(visitor: &mut Visitor, has_headers: bool) -> bool {
    let rng = &mut *visitor.rng;
    let tokens = ["a", "b", "c"].map(|_| rng.choice(["a", "b", "c"]).unwrap_or("a"));
    let mut frame = Vec::new();
    let subject = tokens[..rng.usize(1..=2)].join(".");
    let reply = if rng.u32(..4) == 0 {
        " noise.reply"
    } else {
        ""
    };
    let length = 16 << rng.u32(..=MOST_DOUBLINGS);
    let headers = "NATS/1.0\r\nA: b\r\n\r\n";
    let _ = if has_headers && rng.bool() {
        let (head, total) = (headers.len(), headers.len() + length);
        write!(
            frame,
            "HPUB noise.{subject}{reply} {head} {total}\r\n{headers}"
        )
    } else {
        write!(frame, "PUB noise.{subject}{reply} {length}\r\n")
    };
    frame.resize(frame.len() + length, b'x');
    frame.extend_from_slice(b"\r\n");
    count(&visitor.run.counts.noise, 1);
    visitor.send(frame)
}

//! Requests without a rate: each requester sends the next when an answer comes.

use std::time::Duration;

use mio::{Events, Poll};

use super::clock::{Clock, Latencies, STAMP, nanoseconds};
use super::connect::Connection;
use super::counters::Counters;
use super::flood::Published;
use super::receive::Received;
use super::window::Window;
use super::wire::Wire;
use super::{LoadError, Plan, frames, settle};

/// How long no answer may come before those that are missing are lost: in the
/// end, and before that.
const QUIET: u64 = 2_000_000_000;
const PATIENCE: u64 = 10_000_000_000;

struct Requester {
    wire: Wire,
    frame: Vec<u8>,
    stamp: Option<usize>,
    sent: u64,
    answered: u64,
}

/// Requests until the window is over and all answers are there.
pub(super) fn request(
    plan: &Plan,
    run: &str,
    connections: Vec<Connection>,
    mut poll: Poll,
    counters: &Counters,
    clock: Clock,
) -> Result<(Published, Received), LoadError> {
    let mut requesters = Vec::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let subject = frames::subject(run, plan.subject_of(place));
        let frame = frames::publish(&subject, &frames::inbox(run, place), plan.size);
        let mut wire = Wire::new(connection)?;
        wire.register(poll.registry(), place)?;
        requesters.push(Requester {
            stamp: (plan.size >= STAMP).then(|| frame.len() - 2 - plan.size),
            wire,
            frame,
            sent: 0,
            answered: 0,
        });
    }
    let mut latencies = (plan.size >= STAMP).then(|| Latencies::new(nanoseconds(plan.warm_up)));
    let mut window = Window::new(plan);
    // Without a warm-up, the first requests count as well.
    window.over(clock.now(), counters);
    let mut total = 0_u64;
    for requester in &mut requesters {
        for _ in 0..plan.outstanding.max(1) {
            if plan.messages.is_none_or(|all| total < all) {
                requester.append(clock.now());
                counters.add_published(1, 1);
                total += 1;
            }
        }
        requester.wire.flush()?;
    }
    let mut events = Events::with_capacity(256);
    let mut last = clock.now();
    loop {
        settle::poll(&mut poll, &mut events, Some(Duration::from_millis(20)))?;
        let now = clock.now();
        let over = window.over(now, counters);
        if counters.in_flight() == 0 && (over || window.messages().is_some_and(|all| total >= all))
        {
            break;
        }
        let patience = if over { QUIET } else { PATIENCE };
        if now.saturating_sub(last) > patience || counters.finished() {
            break;
        }
        for event in &events {
            let Some(requester) = requesters.get_mut(event.token().0) else {
                continue;
            };
            while event.is_readable() {
                let mut answers = 0;
                let mut now = None;
                let (heard, more) = requester.wire.receive(|_, payload, _| {
                    answers += 1;
                    if let Some(latencies) = &mut latencies {
                        let now = *now.get_or_insert_with(|| clock.now());
                        latencies.count(now, payload);
                    }
                })?;
                for _ in 0..heard.pings {
                    requester.wire.out().extend(b"PONG\r\n");
                }
                if answers > 0 {
                    last = clock.now();
                    requester.answered += answers;
                    counters.add_delivered(answers, last);
                    let over = window.over(last, counters);
                    let left = window
                        .messages()
                        .map_or(u64::MAX, |all| all.saturating_sub(total));
                    let next = if over { 0 } else { answers.min(left) };
                    for _ in 0..next {
                        requester.append(last);
                    }
                    total += next;
                    counters.add_published(next, next);
                }
                requester.wire.flush()?;
                if !more {
                    break;
                }
            }
            requester.wire.flush()?;
        }
    }
    Ok((
        Published {
            measured: window.measured(clock.now(), counters),
            sent: requesters.iter().map(|one| one.sent).collect(),
        },
        Received {
            counts: requesters.iter().map(|one| one.answered).collect(),
            latencies: latencies.map(Latencies::into_histogram),
        },
    ))
}

impl Requester {
    fn append(&mut self, now: u64) {
        if let Some(at) = self.stamp {
            self.frame[at..at + STAMP].copy_from_slice(&now.to_le_bytes());
        }
        self.wire.out().extend_from_slice(&self.frame);
        self.sent += 1;
    }
}

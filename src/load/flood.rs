//! Publishing as fast as the server takes it.
//!
//! All messages are alike, so each publisher writes the same block of whole
//! frames over and over, as much of it at once as the system takes.

use std::time::{Duration, Instant};

use mio::{Events, Poll, Waker};

use super::clock::Clock;
use super::connect::Connection;
use super::counters::Counters;
use super::window::{Measured, Window};
use super::wire::Wire;
use super::{LoadError, Plan, frames, settle};

/// Bytes of a block, about: large enough that a write costs little beside what
/// it moves, small enough to stay in the processor's cache.
const BLOCK: usize = 64 * 1024;

/// How long no delivery may come before publishers no longer wait for any.
const PATIENCE: u64 = 2_000_000_000;

/// Turns between two looks at what the server says.
const TURNS: u32 = 32;

struct Publisher {
    wire: Wire,
    /// Whole frames.
    block: Vec<u8>,
    /// Bytes of a frame.
    frame: usize,
    /// Where in the block the next write begins.
    at: usize,
    /// Frames written in full.
    messages: u64,
    /// Deliveries of each message.
    fan_out: u64,
    /// Frames there are to be, once that is known.
    limit: u64,
    writable: bool,
}

/// What the publishers did.
pub(super) struct Published {
    pub(super) measured: Measured,
    /// Messages of each.
    pub(super) sent: Vec<u64>,
}

/// Publishes until the window is over.
pub(super) fn publish(
    plan: &Plan,
    run: &str,
    connections: Vec<Connection>,
    mut poll: Poll,
    counters: &Counters,
    clock: Clock,
) -> Result<Published, LoadError> {
    let mut publishers = Vec::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let subject = plan.subject_of(place);
        let one = frames::publish(&frames::subject(run, subject), "", plan.size);
        let mut wire = Wire::new(connection)?;
        wire.register(poll.registry(), place)?;
        publishers.push(Publisher {
            wire,
            block: one.repeat((BLOCK / one.len()).max(1)),
            frame: one.len(),
            at: 0,
            messages: 0,
            fan_out: plan.fan_out(subject),
            limit: u64::MAX,
            writable: true,
        });
    }
    let mut allowed = allowed(plan, &publishers);
    let mut last = (0, clock.now());
    let mut window = Window::new(plan);
    let mut events = Events::with_capacity(256);
    let mut turn = 0_u32;
    let mut limited = false;
    let mut ended = None;
    loop {
        let now = clock.now();
        let over = window.over(now, counters);
        if over {
            for publisher in &mut publishers {
                // What has begun is finished.
                let begun = publisher.messages + u64::from(publisher.begun());
                publisher.limit = publisher.limit.min(begun);
            }
        } else if let Some(messages) = window.messages().filter(|_| !limited) {
            share(&mut publishers, messages);
            limited = true;
        }
        let held = !over && counters.in_flight() > allowed;
        if held {
            let delivered = counters.sample(now).delivered;
            if delivered != last.0 {
                last = (delivered, now);
            } else if now.saturating_sub(last.1) > PATIENCE {
                // They are lost, and nothing will make up for them.
                allowed = u64::MAX;
            }
        } else {
            last.1 = now;
        }
        let mut idle = true;
        let mut done = true;
        for publisher in &mut publishers {
            if publisher.messages < publisher.limit {
                done = false;
                if !held && publisher.writable {
                    publisher.write(counters)?;
                    idle = false;
                }
            }
        }
        if done || counters.finished() {
            break;
        }
        if over && ended.get_or_insert_with(Instant::now).elapsed() > settle::PATIENCE {
            let stuck = publishers.iter().find(|one| one.messages < one.limit);
            return Err(settle::stuck(stuck.map_or("", |one| &one.wire.who)));
        }
        turn += 1;
        if idle || turn.is_multiple_of(TURNS) {
            let wait = if !idle {
                Duration::ZERO
            } else if held {
                hold(counters, allowed)
            } else {
                Duration::from_millis(20)
            };
            settle::poll(&mut poll, &mut events, Some(wait))?;
            for event in &events {
                let Some(publisher) = publishers.get_mut(event.token().0) else {
                    continue;
                };
                publisher.writable |= event.is_writable();
                if event.is_readable() {
                    publisher.listen()?;
                }
            }
        }
    }
    let sent = publishers.iter().map(|one| one.messages).collect();
    let wires = publishers.into_iter().map(|one| one.wire).collect();
    settle::flush(wires, poll, counters)?;
    Ok(Published {
        measured: window.measured(clock.now(), counters),
        sent,
    })
}

impl Publisher {
    /// Whether a frame is written in part.
    fn begun(&self) -> bool {
        !self.at.is_multiple_of(self.frame)
    }

    /// Writes once.
    fn write(&mut self, counters: &Counters) -> Result<(), LoadError> {
        let part = self.at % self.frame;
        let mut frames = (self.block.len() - self.at).div_ceil(self.frame);
        if self.wire.unsent() > 0 {
            // Between two frames there is room for what is to be sent besides.
            if part == 0 {
                self.wire.flush()?;
                self.writable = self.wire.unsent() == 0;
                return Ok(());
            }
            frames = 1;
        }
        if let Ok(left) = usize::try_from(self.limit - self.messages) {
            frames = frames.min(left);
        }
        let end = self.at - part + frames * self.frame;
        let written = self.wire.write(&self.block[self.at..end])?;
        self.writable = self.at + written == end;
        let messages = ((part + written) / self.frame) as u64;
        self.at = (self.at + written) % self.block.len();
        self.messages += messages;
        counters.add_published(messages, messages * self.fan_out);
        Ok(())
    }

    fn listen(&mut self) -> Result<(), LoadError> {
        loop {
            let (heard, more) = self.wire.receive(|_, _, _| {})?;
            for _ in 0..heard.pings {
                self.wire.out().extend(b"PONG\r\n");
            }
            if !more {
                return Ok(());
            }
        }
    }
}

/// Gives each publisher its part of all messages.
fn share(publishers: &mut [Publisher], messages: u64) {
    let count = publishers.len() as u64;
    for (place, publisher) in (0..).zip(publishers) {
        let part = messages / count + u64::from(place < messages % count);
        // One may have sent more than its part while it was warming up.
        publisher.limit = part.max(publisher.messages + u64::from(publisher.begun()));
    }
}

/// How many deliveries may be on their way.
fn allowed(plan: &Plan, publishers: &[Publisher]) -> u64 {
    let receivers = match &plan.queue {
        Some(_) => plan.subjects.min(plan.subscribers),
        None => plan.subscribers,
    };
    let frame = publishers.first().map_or(1, |one| one.frame);
    match plan.in_flight {
        Some(bytes) if receivers > 0 => (receivers * (bytes / frame).max(1)) as u64,
        _ => u64::MAX,
    }
}

/// Asks to be woken when fewer deliveries are on their way, and tells how long
/// to wait at most.
fn hold(counters: &Counters, allowed: u64) -> Duration {
    counters.set_waiting(true);
    if counters.in_flight() <= allowed {
        Duration::ZERO
    } else {
        // In case the receiver looked just before.
        Duration::from_millis(2)
    }
}

/// The other side of holding back: lets publishers go on when half of what may
/// be on its way has arrived.
pub(super) struct Release {
    waker: Waker,
    below: u64,
}

impl Release {
    pub(super) fn new(waker: Waker, plan: &Plan) -> Self {
        let frame = frames::publish(&frames::subject("0000", 0), "", plan.size).len();
        let bytes = plan.in_flight.unwrap_or_default();
        let receivers = plan.subscribers.max(1);
        Self {
            waker,
            below: (receivers * (bytes / frame / 2)) as u64,
        }
    }

    pub(super) fn consider(&self, counters: &Counters) {
        if counters.waiting() && counters.in_flight() <= self.below {
            counters.set_waiting(false);
            // It looks again after a moment in any case.
            let _ = self.waker.wake();
        }
    }
}

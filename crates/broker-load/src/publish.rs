//! Publishing and requesting, all connections on one thread.
//!
//! This module sends messages and receives answers. The pacing decides when
//! the next message is sent.

use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::clock::{Clock, Latencies};
use super::connect::Connection;
use super::counters::Counters;
use super::pacing::{Moment, Pacing, Then};
use super::publisher::{PATIENCE, Publisher};
use super::receive::Received;
use super::window::{Measured, Window};
use super::wire::poll;
use super::{Load, LoadError, Pattern, pacing};

/// Turns between two reads from the server, while there is much to send.
const TURNS: u32 = 32;
/// The shortest sleep. Messages that become due during it are sent together;
/// the latency of each counts from its own time.
const SHORTEST: Duration = Duration::from_micros(50);
/// The longest sleep, so the server's errors are noticed.
const LONGEST: Duration = Duration::from_millis(20);

/// What the publishers sent and received.
pub(super) struct Published {
    pub(super) measured: Measured,
    /// Messages sent by each publisher.
    pub(super) sent: Vec<u64>,
    /// The answers, if the publishing thread read them.
    pub(super) received: Option<Received>,
}

/// All publishers and what measures them.
struct Publishers<'a> {
    all: Vec<Publisher>,
    poll: Poll,
    events: Events,
    window: Window,
    counters: &'a Counters,
    clock: Clock,
    latencies: Option<Latencies>,
}

/// Publishes until the window is over and the server has processed everything.
/// If the connections were not split, answers are read here.
pub(super) fn publish(
    load: &Load<'_>,
    connections: Vec<Connection>,
    poll: Poll,
    latencies: Option<Latencies>,
) -> Result<Published, LoadError> {
    let (plan, counters) = (load.plan, load.counters);
    let mut pacing = pacing::of(plan);
    let all = connections.into_iter().enumerate();
    let all = all.map(|(place, connection)| {
        let mut publisher = Publisher::new(plan, load.run, place, connection, pacing.block())?;
        publisher.wire.register(poll.registry(), place)?;
        Ok(publisher)
    });
    let mut publishers = Publishers {
        all: all.collect::<Result<_, _>>()?,
        poll,
        events: Events::with_capacity(256),
        window: Window::new(plan),
        counters,
        clock: load.clock,
        latencies,
    };
    publishers.run(&mut *pacing)?;
    // From here on, no answer leads to another request.
    counters.stop();
    publishers.settle(&mut *pacing)?;
    let all = &publishers.all;
    let answers = plan.pattern == Pattern::Request && plan.rate.is_none();
    Ok(Published {
        sent: all.iter().map(|one| one.sent).collect(),
        received: answers.then(|| Received {
            counts: all.iter().map(|one| one.received).collect(),
            latencies: publishers.latencies.map(Latencies::into_histogram),
        }),
        measured: publishers.window.measured(load.clock.now(), counters),
    })
}

impl Publishers<'_> {
    /// Takes turns until the pacing has sent everything.
    fn run(&mut self, pacing: &mut dyn Pacing) -> Result<(), LoadError> {
        for turn in 1_u32.. {
            let moment = Moment::new(&mut self.window, self.clock.now(), self.counters);
            let then = pacing.turn(&mut self.all, moment)?;
            let look = turn.is_multiple_of(TURNS);
            match then {
                Then::Done => break,
                _ if self.counters.finished() => break,
                Then::Wait(longest) => self.hear(longest, pacing)?,
                Then::Again | Then::Sleep(_) if look => self.hear(Duration::ZERO, pacing)?,
                Then::Again | Then::Sleep(_) => {}
            }
            if let Then::Sleep(until) = then {
                let wait = Duration::from_nanos(until.saturating_sub(self.clock.now()));
                thread::sleep(wait.clamp(SHORTEST, LONGEST));
            }
        }
        Ok(())
    }

    /// Waits for events and reads from the server. A publisher that gets an answer
    /// may send its next request.
    fn hear(&mut self, longest: Duration, pacing: &mut dyn Pacing) -> Result<(), LoadError> {
        poll(&mut self.poll, &mut self.events, longest)?;
        for event in &self.events {
            let Some(publisher) = self.all.get_mut(event.token().0) else {
                continue;
            };
            publisher.writable |= event.is_writable();
            while event.is_readable() {
                let (answers, more) = publisher.wire.messages(&mut self.latencies, self.clock)?;
                if answers > 0 {
                    let now = self.clock.now();
                    publisher.received += answers;
                    self.counters.add_delivered(answers, now);
                    let moment = Moment::new(&mut self.window, now, self.counters);
                    pacing.turn(slice::from_mut(publisher), moment)?;
                }
                if !more {
                    break;
                }
            }
            publisher.flush()?;
        }
        Ok(())
    }

    /// Sends what is left on each connection, then waits until the server answers
    /// a PING.
    fn settle(&mut self, pacing: &mut dyn Pacing) -> Result<(), LoadError> {
        let started = Instant::now();
        for publisher in &mut self.all {
            publisher.wire.out().extend(b"PING\r\n");
            publisher.wire.flush()?;
        }
        let mut next = 0;
        while let Some(publisher) = self.all.get(next) {
            if self.counters.finished() {
                break;
            }
            if publisher.wire.pongs() > 0 {
                next += 1;
                continue;
            }
            if started.elapsed() > PATIENCE {
                return Err(LoadError::stuck(&publisher.wire.who, PATIENCE));
            }
            // The PONG may be read by another thread.
            self.hear(Duration::from_millis(1), pacing)?;
        }
        Ok(())
    }
}

//! Publishing at a fixed rate, each message at its time.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::clock::{Clock, STAMP, Schedule};
use super::connect::Connection;
use super::counters::Counters;
use super::flood::Published;
use super::window::Window;
use super::wire::Wire;
use super::{LoadError, Pattern, Plan, frames, settle};

/// The shortest sleep. Messages that become due meanwhile are sent together;
/// their latency counts from the time of each.
const SHORTEST: Duration = Duration::from_micros(50);
/// The longest, so that what the server says is heard.
const LONGEST: Duration = Duration::from_millis(20);
/// What a connection may have unsent before sending pauses for all. What then
/// comes late still has its intended time.
const UNSENT: usize = 1 << 20;

/// Who listens on the publishers' connections.
pub(super) enum Listener<'a> {
    /// The publishing thread itself.
    Publisher,
    /// Another thread, which counts here the PINGs to be answered.
    Receiver(&'a [AtomicU32]),
}

struct Publisher {
    wire: Wire,
    frame: Vec<u8>,
    /// Where in the frame the time goes, if there is room for it.
    stamp: Option<usize>,
    fan_out: u64,
    messages: u64,
}

/// What is to be published, and for whom.
pub(super) struct Task<'a> {
    pub(super) plan: &'a Plan,
    pub(super) run: &'a str,
    /// Messages per second.
    pub(super) rate: u64,
    pub(super) listener: Listener<'a>,
    pub(super) counters: &'a Counters,
    pub(super) clock: Clock,
}

/// Publishes until the window is over.
pub(super) fn publish(
    task: &Task<'_>,
    connections: Vec<Connection>,
    mut poll: Poll,
) -> Result<Published, LoadError> {
    let &Task {
        plan,
        run,
        rate,
        ref listener,
        counters,
        clock,
    } = task;
    let mut publishers = Vec::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let subject = plan.subject_of(place);
        let reply = match plan.pattern {
            Pattern::Publish => String::new(),
            Pattern::Request => frames::inbox(run, place),
        };
        let frame = frames::publish(&frames::subject(run, subject), &reply, plan.size);
        let mut wire = Wire::new(connection)?;
        if matches!(listener, Listener::Publisher) {
            wire.register(poll.registry(), place)?;
        }
        publishers.push(Publisher {
            stamp: (plan.size >= STAMP).then(|| frame.len() - 2 - plan.size),
            wire,
            frame,
            fan_out: plan.fan_out(subject),
            messages: 0,
        });
    }
    sleep_exactly();
    let schedule = Schedule::new(rate);
    let mut window = Window::new(plan);
    let mut events = Events::with_capacity(256);
    let mut sent = 0_u64;
    let mut turn = 0;
    loop {
        let now = clock.now();
        if window.over(now, counters) {
            break;
        }
        let mut due = schedule.due(now);
        if let Some(all) = window.messages() {
            due = due.min(all);
        }
        // Taking turns, so that each publisher has an even share.
        while sent < due {
            let place = usize::try_from(sent % publishers.len() as u64).unwrap_or_default();
            let publisher = &mut publishers[place];
            if publisher.wire.unsent() > UNSENT {
                break;
            }
            publisher.append(schedule.intended(sent));
            counters.add_published(1, publisher.fan_out);
            sent += 1;
        }
        for (place, publisher) in publishers.iter_mut().enumerate() {
            if let Listener::Receiver(pings) = listener {
                answer(&mut publisher.wire, &pings[place]);
            }
            publisher.wire.flush()?;
        }
        if window.messages().is_some_and(|all| sent >= all) {
            break;
        }
        turn += 1;
        if turn % 64 == 0 {
            listen(&mut publishers, &mut poll, &mut events)?;
        }
        let next = schedule.intended(sent);
        let wait = Duration::from_nanos(next.saturating_sub(clock.now()));
        thread::sleep(wait.clamp(SHORTEST, LONGEST));
    }
    let sent = publishers.iter().map(|one| one.messages).collect();
    let mut wires: Vec<_> = publishers.into_iter().map(|one| one.wire).collect();
    match listener {
        Listener::Publisher => settle::flush(wires, poll, counters)?,
        Listener::Receiver(_) => {
            // Answers tell what arrived; here it only has to be sent.
            let started = Instant::now();
            while let Some(unsent) = wires.iter().find(|wire| wire.unsent() > 0) {
                if counters.finished() {
                    break;
                }
                if started.elapsed() > settle::PATIENCE {
                    return Err(settle::stuck(&unsent.who));
                }
                thread::sleep(SHORTEST);
                for wire in &mut wires {
                    wire.flush()?;
                }
            }
        }
    }
    Ok(Published {
        measured: window.measured(clock.now(), counters),
        sent,
    })
}

impl Publisher {
    fn append(&mut self, intended: u64) {
        if let Some(at) = self.stamp {
            self.frame[at..at + STAMP].copy_from_slice(&intended.to_le_bytes());
        }
        self.wire.out().extend_from_slice(&self.frame);
        self.messages += 1;
    }
}

/// Answers the PINGs that another thread has counted.
fn answer(wire: &mut Wire, pings: &AtomicU32) {
    if pings.load(Relaxed) > 0 {
        for _ in 0..pings.swap(0, Relaxed) {
            wire.out().extend(b"PONG\r\n");
        }
    }
}

fn listen(
    publishers: &mut [Publisher],
    poll: &mut Poll,
    events: &mut Events,
) -> Result<(), LoadError> {
    settle::poll(poll, events, Some(Duration::ZERO))?;
    for event in events.iter().filter(|event| event.is_readable()) {
        let Some(publisher) = publishers.get_mut(event.token().0) else {
            continue;
        };
        loop {
            let (heard, more) = publisher.wire.receive(|_, _, _| {})?;
            for _ in 0..heard.pings {
                publisher.wire.out().extend(b"PONG\r\n");
            }
            if !more {
                break;
            }
        }
    }
    Ok(())
}

/// Linux otherwise wakes a thread up to 50 microseconds late.
fn sleep_exactly() {
    #[cfg(target_os = "linux")]
    {
        // If it fails, latencies are that much longer.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    }
}

//! Receiving, all connections on one thread.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;
use mio::{Events, Poll};

use super::clock::{Clock, Latencies};
use super::connect::Connection;
use super::counters::Counters;
use super::flood::Release;
use super::wire::Wire;
use super::{LoadError, settle};

/// What the receivers got.
pub(super) struct Received {
    /// Messages of each.
    pub(super) counts: Vec<u64>,
    /// How long they took, if that was asked for.
    pub(super) latencies: Option<Histogram<u64>>,
}

/// How receivers are to go about it.
pub(super) struct Ways<'a> {
    /// Where latencies are counted.
    pub(super) latencies: Option<Latencies>,
    /// Publishers that wait for deliveries.
    pub(super) release: Release,
    /// How long to leave messages where they are after each look: without a
    /// rate nobody waits for one, and many at once cost less.
    pub(super) pause: Duration,
    /// Where to count PINGs that the publishing thread must answer, since it
    /// writes to the same connections.
    pub(super) pings: Option<&'a [AtomicU32]>,
}

/// Receives until all is over.
pub(super) fn receive(
    connections: Vec<Connection>,
    mut poll: Poll,
    mut ways: Ways<'_>,
    counters: &Counters,
    clock: Clock,
) -> Result<Received, LoadError> {
    let mut counts = vec![0_u64; connections.len()];
    let mut wires = Vec::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let mut wire = Wire::new(connection)?;
        wire.register(poll.registry(), place)?;
        wires.push(wire);
    }
    let mut events = Events::with_capacity(256);
    // Those that may hold more, because they were not read to their end. The server may have said
    // something right after it had accepted a subscription.
    let mut unread: Vec<usize> = (0..wires.len()).collect();
    while !counters.finished() {
        let wait = if unread.is_empty() {
            Duration::from_millis(20)
        } else {
            Duration::ZERO
        };
        settle::poll(&mut poll, &mut events, Some(wait))?;
        for event in &events {
            let place = event.token().0;
            if event.is_readable() && !unread.contains(&place) {
                unread.push(place);
            }
        }
        let mut all = 0;
        let mut left = Vec::new();
        for &place in &unread {
            let wire = &mut wires[place];
            let mut messages = 0;
            let mut now = None;
            let (heard, more) = wire.receive(|_, payload, _| {
                messages += 1;
                if let Some(latencies) = &mut ways.latencies {
                    // One look at the clock for all that one read has brought.
                    let now = *now.get_or_insert_with(|| clock.now());
                    latencies.count(now, payload);
                }
            })?;
            if heard.pings > 0 {
                match ways.pings {
                    Some(pings) => {
                        pings[place].fetch_add(heard.pings, Relaxed);
                    }
                    None => wire.out().extend(b"PONG\r\n"),
                }
                wire.flush()?;
            }
            counts[place] += messages;
            all += messages;
            if more {
                left.push(place);
            }
        }
        unread = left;
        if all > 0 {
            counters.add_delivered(all, clock.now());
            ways.release.consider(counters);
            if unread.is_empty() && !ways.pause.is_zero() {
                thread::sleep(ways.pause);
            }
        }
    }
    let latencies = ways.latencies.map(Latencies::into_histogram);
    Ok(Received { counts, latencies })
}

/// Answers requests with their own payload until all is over.
pub(super) fn respond(
    connections: Vec<Connection>,
    mut poll: Poll,
    counters: &Counters,
) -> Result<(), LoadError> {
    let mut wires = Vec::new();
    for (place, connection) in connections.into_iter().enumerate() {
        let mut wire = Wire::new(connection)?;
        wire.register(poll.registry(), place)?;
        wires.push(wire);
    }
    let mut events = Events::with_capacity(256);
    while !counters.finished() {
        settle::poll(&mut poll, &mut events, Some(Duration::from_millis(20)))?;
        for event in &events {
            let Some(wire) = wires.get_mut(event.token().0) else {
                continue;
            };
            if event.is_readable() {
                loop {
                    let (heard, more) = wire.receive(|reply, payload, out| {
                        super::frames::answer(out, reply, payload);
                    })?;
                    for _ in 0..heard.pings {
                        wire.out().extend(b"PONG\r\n");
                    }
                    wire.flush()?;
                    if !more {
                        break;
                    }
                }
            }
            wire.flush()?;
        }
    }
    Ok(())
}

//! Receiving, all connections on one thread.

use std::mem;
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;
use mio::{Events, Poll};

use super::clock::{Clock, Latencies};
use super::connect::Connection;
use super::counters::Counters;
use super::pacing::Release;
use super::wire::{Wire, poll};
use super::{LoadError, frames};

/// The longest wait for events, so the end of the load is noticed.
const IDLE: Duration = Duration::from_millis(20);

/// What the receivers received.
pub(super) struct Received {
    /// Messages received by each.
    pub(super) counts: Vec<u64>,
    /// Their latencies, if measured.
    pub(super) latencies: Option<Histogram<u64>>,
}

/// Options of the receivers.
pub(super) struct Ways {
    /// The histogram for latencies, if they are measured.
    pub(super) latencies: Option<Latencies>,
    /// Wakes publishers that wait for deliveries.
    pub(super) release: Release,
    /// How long to sleep between reads: without a rate latency does not matter,
    /// and larger reads cost less.
    pub(super) pause: Duration,
}

/// Receives until the load is finished.
pub(super) fn receive(
    connections: Vec<Connection>,
    mut waiting: Poll,
    mut ways: Ways,
    counters: &Counters,
    clock: Clock,
) -> Result<Received, LoadError> {
    let mut counts = vec![0_u64; connections.len()];
    let mut wires = wires(connections, &waiting)?;
    let mut events = Events::with_capacity(256);
    // Connections that may have more to read. The server may have sent an error right after it
    // accepted a subscription, so all are read first.
    let mut unread: Vec<usize> = (0..wires.len()).collect();
    let mut left = Vec::with_capacity(unread.len());
    while !counters.finished() {
        let longest = if unread.is_empty() {
            IDLE
        } else {
            Duration::ZERO
        };
        poll(&mut waiting, &mut events, longest)?;
        for event in &events {
            let place = event.token().0;
            if event.is_readable() && !unread.contains(&place) {
                unread.push(place);
            }
        }
        let mut all = 0;
        for place in unread.drain(..) {
            let wire = &mut wires[place];
            let (messages, more) = wire.messages(&mut ways.latencies, clock)?;
            wire.flush()?;
            counts[place] += messages;
            all += messages;
            if more {
                left.push(place);
            }
        }
        mem::swap(&mut unread, &mut left);
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

/// Answers requests with their own payload until the load is finished.
pub(super) fn respond(
    connections: Vec<Connection>,
    mut waiting: Poll,
    counters: &Counters,
) -> Result<(), LoadError> {
    let mut wires = wires(connections, &waiting)?;
    let mut events = Events::with_capacity(256);
    while !counters.finished() {
        poll(&mut waiting, &mut events, IDLE)?;
        for event in &events {
            let Some(wire) = wires.get_mut(event.token().0) else {
                continue;
            };
            let mut more = event.is_readable();
            while more {
                more = wire.receive(|reply, payload, out| frames::answer(out, reply, payload))?;
                wire.flush()?;
            }
            wire.flush()?;
        }
    }
    Ok(())
}

/// Registers the connections for events, with their indices as tokens.
fn wires(connections: Vec<Connection>, waiting: &Poll) -> Result<Vec<Wire>, LoadError> {
    let wires = connections.into_iter().enumerate();
    let wires = wires.map(|(place, connection)| {
        let mut wire = Wire::new(connection)?;
        wire.register(waiting.registry(), place)?;
        Ok(wire)
    });
    wires.collect()
}

//! Counters and flags that the threads share during a run.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crossbeam::utils::CachePadded;
use serde::Serialize;

/// Each counter is written by one thread and read by others. None of them
/// orders any other memory, so all accesses are relaxed.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Messages handed to the operating system.
    published: CachePadded<AtomicU64>,
    /// Deliveries expected for them.
    expected: AtomicU64,
    /// Messages received.
    delivered: CachePadded<AtomicU64>,
    /// When the last message was received.
    last: AtomicU64,
    /// Whether publishers wait for deliveries.
    waiting: CachePadded<AtomicBool>,
    /// Whether publishing should end.
    stop: AtomicBool,
    /// Whether receiving should end.
    finish: AtomicBool,
}

/// The counters at one point in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sample {
    /// Nanoseconds since the load began.
    pub(super) at: u64,
    pub(super) published: u64,
    pub(super) delivered: u64,
}

impl Counters {
    pub(super) fn add_published(&self, messages: u64, deliveries: u64) {
        add(&self.published, messages);
        add(&self.expected, deliveries);
    }

    /// Returns the messages published so far; for the publishing thread.
    pub(super) fn published(&self) -> u64 {
        self.published.load(Relaxed)
    }

    pub(super) fn add_delivered(&self, messages: u64, at: u64) {
        self.last.store(at, Relaxed);
        add(&self.delivered, messages);
    }

    pub(super) fn sample(&self, at: u64) -> Sample {
        Sample {
            at,
            published: self.published.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
        }
    }

    pub(super) fn last_delivery(&self) -> u64 {
        self.last.load(Relaxed)
    }

    /// Returns the number of deliveries in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let delivered = self.delivered.load(Relaxed);
        self.expected.load(Relaxed).saturating_sub(delivered)
    }

    pub(super) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Relaxed);
    }

    pub(super) fn waiting(&self) -> bool {
        self.waiting.load(Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    pub(super) fn finish(&self) {
        self.stop();
        self.finish.store(true, Relaxed);
    }

    pub(super) fn finished(&self) -> bool {
        self.finish.load(Relaxed)
    }
}

/// Only one thread writes each counter, so load and store lose nothing.
fn add(counter: &AtomicU64, number: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(number), Relaxed);
}

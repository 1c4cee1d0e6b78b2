//! The connections of one worker, and how messages reach them and those of others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use slab::Slab;

use super::batch::{Batch, Producer};
use super::connection::Connection;
use super::mailbox::Mail;
use super::output::Blocks;
use super::routes::{Matches, Target};
use super::shared::{Counters, Shared};
use crate::protocol::{Message, ProtocolError};

/// What may wait for a connection, in bytes, before its publishers are slowed: more
/// would not come to it any sooner, and would cost memory.
const ENOUGH: usize = 256 * 1024;

/// How long a publisher waits for a subscriber for which enough waits.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// How many times as long it is if more than enough waits, at most.
const MOST_TIMES: u32 = 20;

/// Who took something within this time is brisk enough to be waited for so.
const BRISK: Duration = Duration::from_millis(50);

/// How long a publisher waits when a subscriber of it is behind. With a chunk read
/// in between, it goes on at 13 MB/s.
const PAUSE: Duration = Duration::from_millis(5);

/// How long it waits when the subscriber is far behind, but takes what it can:
/// then 1.3 MB/s are left, and the subscriber is not lost to a faster publisher.
const LONG_PAUSE: Duration = Duration::from_millis(50);

/// Who took something within this time takes what it can. Nobody waits long for
/// one who takes nothing.
const SLOW: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The client left, or the network did.
    Gone,
    /// The client did something wrong; it is told.
    Error(ProtocolError),
    /// The server ends.
    Shutdown,
}

/// Who published a message, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) worker: usize,
    pub(crate) producer: Producer,
    /// The publisher gets its own messages too.
    pub(crate) echo: bool,
}

/// The connections that a worker owns, and what it has for other workers.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clients: Slab<Connection>,
    pub(crate) counters: Counters,
    pub(crate) now: Instant,
    /// Connections with something to write.
    dirty: Vec<usize>,
    blocks: Blocks,
    outgoing: Vec<Batch>,
    /// Bytes that wait for a connection from which on its publishers are slowed.
    enough: usize,
    /// Bytes appended to outputs and batches since they were sent last.
    pub(crate) unsent: usize,
    /// Publishers that are too fast for somebody, with their workers and how long
    /// they are to pause.
    pub(crate) too_fast: Vec<(usize, Producer, Duration)>,
    /// For reading what nobody wants.
    scratch: Box<[u8]>,
    random: fastrand::Rng,
}

impl Delivery {
    pub(crate) fn new(index: usize, shared: Arc<Shared>) -> Self {
        Self {
            index,
            clients: Slab::new(),
            counters: Counters::default(),
            now: Instant::now(),
            dirty: Vec::new(),
            blocks: Blocks::default(),
            outgoing: shared.workers.iter().map(|_| Batch::default()).collect(),
            enough: ENOUGH.min(shared.config.max_pending / 2),
            unsent: 0,
            too_fast: Vec::new(),
            scratch: vec![0; 4096].into(),
            random: fastrand::Rng::new(),
            shared,
        }
    }

    /// Appends a line for a client.
    pub(crate) fn tell(&mut self, slot: usize, line: &[u8]) {
        if let Some(client) = self.clients.get_mut(slot) {
            client.output.push(line, &mut self.blocks);
            self.touch(slot);
        }
    }

    fn touch(&mut self, slot: usize) {
        let client = &mut self.clients[slot];
        if !client.dirty && !client.blocked {
            client.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// The system takes more for this connection.
    pub(crate) fn unblock(&mut self, slot: usize) {
        if let Some(client) = self.clients.get_mut(slot)
            && client.blocked
        {
            client.blocked = false;
            self.touch(slot);
        }
    }

    /// Sends a message to all that match, one of each group. Tells whether there
    /// was anyone.
    #[inline]
    pub(crate) fn publish(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        matches: &Matches,
    ) -> bool {
        let mut anyone = false;
        for &target in &matches.plain {
            anyone |= self.send(buffer, message, origin, target);
        }
        for group in &matches.groups {
            let (after, before) = {
                let start = self.random.usize(..group.members.len());
                let (before, after) = group.members.split_at(start);
                (after, before)
            };
            let mut members = after.iter().chain(before);
            anyone |= members.any(|&target| self.send(buffer, message, origin, target));
        }
        anyone
    }

    #[inline]
    fn send(&mut self, buffer: &Bytes, message: &Message, origin: Origin, target: Target) -> bool {
        let worker = target.worker as usize;
        if worker != self.index {
            let batch = &mut self.outgoing[worker];
            self.unsent += batch.add(buffer, message, origin.producer, target);
            return true;
        }
        let publisher =
            target.slot == origin.producer.slot && target.client == origin.producer.client;
        if publisher && !origin.echo {
            return false;
        }
        self.deliver(buffer, message, origin, target)
    }

    /// Appends a message to the output of a connection of this worker, if it is
    /// still there and still wants it.
    #[inline]
    pub(crate) fn deliver(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        target: Target,
    ) -> bool {
        let slot = target.slot as usize;
        let Some(client) = self.clients.get_mut(slot) else {
            return false;
        };
        if client.short_id() != target.client {
            return false;
        }
        let place = target.subscription as usize;
        let Some(subscription) = client.subscriptions.get_mut(place) else {
            return false;
        };
        if subscription.serial != target.serial {
            return false;
        }
        subscription.delivered += 1;
        let last = subscription
            .max
            .is_some_and(|max| subscription.delivered >= max);
        let sid = &subscription.sid;
        if message.headers == 0 || client.options.headers {
            let output = &mut client.output;
            output.push_message(buffer, message, sid, &mut self.blocks);
            self.counters.out_bytes += message.body.len() as u64;
        } else {
            let (copy, message) = message.rewritten(buffer, false);
            let output = &mut client.output;
            output.push_message(&copy.into(), &message, sid, &mut self.blocks);
            self.counters.out_bytes += message.body.len() as u64;
        }
        self.counters.out_msgs += 1;
        self.unsent += message.body.len();
        let pending = client.output.pending();
        self.touch(slot);
        if last {
            self.unsubscribe(slot, place);
        }
        if pending > self.enough {
            self.press(slot, origin);
        }
        true
    }

    /// Much waits for a connection: writes what can be written, and then has its
    /// publisher wait, or gives the connection up.
    #[cold]
    fn press(&mut self, slot: usize, origin: Origin) {
        self.send_batches();
        self.flush(slot);
        let Some(client) = self.clients.get(slot) else {
            return;
        };
        let pending = client.output.pending();
        let max = self.shared.config.max_pending;
        let idle = |since| self.now.duration_since(since);
        let idle = client.waits_since.map_or(Duration::ZERO, idle);
        let pause = match pending {
            _ if pending > max => {
                self.close(slot, Reason::Error(ProtocolError::SlowConsumer));
                return;
            }
            _ if pending > max / 4 * 3 && idle < SLOW => LONG_PAUSE,
            _ if pending > max / 2 => PAUSE,
            _ if idle < BRISK => {
                // The more there is in excess, the longer: many may publish to it.
                let times = u32::try_from(pending / self.enough).unwrap_or(MOST_TIMES);
                SHORT_PAUSE * times.min(MOST_TIMES)
            }
            _ => return,
        };
        if pending > self.enough {
            let pressed = (origin.worker, origin.producer, pause);
            if self.too_fast.last() != Some(&pressed) {
                self.too_fast.push(pressed);
            }
        }
    }

    /// Writes to all connections that have something to write.
    pub(crate) fn flush_all(&mut self) {
        self.send_batches();
        while let Some(slot) = self.dirty.pop() {
            self.flush(slot);
        }
        self.unsent = 0;
    }

    fn flush(&mut self, slot: usize) {
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        client.dirty = false;
        if client.blocked {
            return;
        }
        let before = client.output.pending();
        let written = client
            .transport
            .flush()
            .and_then(|()| client.output.write(&mut client.transport, &mut self.blocks));
        if written.is_err() {
            self.close(slot, Reason::Gone);
            return;
        }
        let after = client.output.pending();
        client.blocked = !client.is_flushed();
        if !client.blocked {
            client.waits_since = None;
        } else if after < before || client.waits_since.is_none() {
            client.waits_since = Some(self.now);
        }
    }

    /// Sends what other workers are to deliver.
    ///
    /// It comes before anything is written: a client that has its PONG may tell
    /// others that what it published before is on its way.
    pub(crate) fn send_batches(&mut self) {
        for worker in 0..self.outgoing.len() {
            if self.outgoing[worker].is_empty() {
                continue;
            }
            let mut batch = std::mem::take(&mut self.outgoing[worker]);
            if batch.is_small() && self.stand_in(worker, &batch) {
                batch.clear();
                self.outgoing[worker] = batch;
            } else {
                self.outgoing[worker] = self.shared.workers[self.index].batch();
                let mail = Mail::Messages(batch, self.index);
                self.shared.workers[worker].mailbox.send(mail);
            }
        }
    }

    /// Delivers for another worker if that has nothing to do: sooner than it would
    /// be awake. Tells whether it is done.
    ///
    /// The other is only tried to be locked, as it may be standing in for this one.
    /// While it is, it takes no mail: an empty mailbox means that all which was
    /// sent before has been delivered.
    fn stand_in(&mut self, worker: usize, batch: &Batch) -> bool {
        let peer = &self.shared.workers[worker];
        let Some(mut other) = peer.try_worker() else {
            return false;
        };
        let Some(other) = other.as_mut().filter(|_| peer.mailbox.is_empty()) else {
            return false;
        };
        let other = &mut other.delivery;
        other.now = self.now;
        other.deliver_all(batch, self.index);
        other.flush_all();
        other.publish_counters();
        // All of them are this worker's.
        self.too_fast.append(&mut other.too_fast);
        true
    }

    /// Delivers what another worker has sent.
    pub(crate) fn deliver_all(&mut self, batch: &Batch, worker: usize) {
        batch.deliver(|buffer, message, producer, target| {
            let origin = Origin {
                worker,
                producer,
                echo: true,
            };
            self.deliver(buffer, message, origin, target);
        });
    }

    /// Shows other threads what was counted so far.
    pub(crate) fn publish_counters(&self) {
        self.shared.workers[self.index]
            .counters
            .renew(self.counters);
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&mut self, slot: usize, place: usize) {
        let client = &mut self.clients[slot];
        let Some(subscription) = client.subscriptions.try_remove(place) else {
            return;
        };
        client.by_sid.remove(&subscription.sid);
        let target = target(self.index, slot, client.id, place, subscription.serial);
        self.shared
            .routes
            .remove(&subscription.subject, subscription.queue.as_deref(), target);
        self.counters.subscriptions -= 1;
    }

    /// Ends a connection, with a word to the client if there is one to say.
    pub(crate) fn close(&mut self, slot: usize, reason: Reason) {
        self.send_batches();
        let Some(mut client) = self.clients.try_remove(slot) else {
            return;
        };
        for (place, subscription) in &client.subscriptions {
            let target = target(self.index, slot, client.id, place, subscription.serial);
            self.shared
                .routes
                .remove(&subscription.subject, subscription.queue.as_deref(), target);
        }
        self.counters.subscriptions -= client.subscriptions.len() as u64;
        let (id, address) = (client.id, client.address);
        match reason {
            Reason::Gone => tracing::debug!("client {id} at {address} is gone"),
            Reason::Shutdown => {}
            Reason::Error(error) => {
                tracing::warn!("client {id} at {address}: {error}");
                if error == ProtocolError::SlowConsumer {
                    self.counters.slow_consumers += 1;
                    if !client.output.forget() {
                        // In the midst of a line there is no place for another.
                        client.transport.finish(&mut self.scratch);
                        self.closed();
                        return;
                    }
                }
                if let Some(line) = error.line() {
                    client.output.push(line.as_bytes(), &mut self.blocks);
                }
                // Best effort: the client may be gone, or full.
                let _ = client.output.write(&mut client.transport, &mut self.blocks);
            }
        }
        if reason != Reason::Gone {
            client.transport.finish(&mut self.scratch);
        }
        self.closed();
    }

    fn closed(&self) {
        let peer = &self.shared.workers[self.index];
        peer.connections
            .fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// How other workers know a subscription.
#[allow(
    clippy::cast_possible_truncation,
    reason = "neither workers nor connections nor subscriptions are counted in billions"
)]
pub(crate) fn target(worker: usize, slot: usize, id: u64, place: usize, serial: u32) -> Target {
    Target {
        worker: worker as u32,
        slot: slot as u32,
        client: super::connection::short(id),
        subscription: place as u32,
        serial,
    }
}

//! The connections of one worker, and the last step of a message: to their outputs.
//!
//! This is the part of a worker that others lock to deliver for it while it sleeps. It
//! knows nothing of other workers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use slab::Slab;

use super::chunks::CHUNK;
use super::closed::{Closed, ClosedConnections};
use super::config::Config;
use super::connection::{Connection, Phase, Writing};
use super::counters::Counters;
use super::key::{ConnectionKey, Target};
use super::leaf::backoff::Cause;
use super::leaf::link::Link;
use super::log_limit::{LogLimit, Verdict};
use super::output::{Blocks, Written};
pub(crate) use super::reason::Reason;
use super::routes::Routes;
use super::stall::{self, Bounds};
use super::subscriptions::Subscription;
use super::trace;
use broker_protocol::{Message, ProtocolError, SHARE_FROM, push_head};

/// Subscriptions from which on even short messages are shared rather than copied for
/// each of them.
const MANY_TARGETS: usize = 256;

/// From which size on those are shared, in bytes.
const SHARE_AMONG_MANY_FROM: usize = 512;

/// The same for a connection that is behind: what is shared there for long keeps a
/// whole chunk, so that a smaller part of one is copied.
const SHARE_BEHIND_FROM: usize = CHUNK / 4;

/// Bytes written in one round, about, before events are looked at again.
const WRITTEN_PER_ROUND: usize = 8 << 20;

/// Clients whose errors are logged in a second.
const MOST_ERRORS_LOGGED: u32 = 20;

/// Who published a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) key: ConnectionKey,
    /// The publisher gets its own messages too.
    pub(crate) echo: bool,
    /// It is a hub: the message goes to no other.
    pub(crate) hub: bool,
}

/// What became of a message for one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It waits to be written.
    Accepted,
    /// The same, and so much waits there that the publisher may have to be stalled.
    Crowded,
    /// There is no room before something is written. Try again then.
    Full,
    /// Nobody wants it there any more.
    Refused,
}

/// From which size on a message is shared that goes to so many subscriptions.
pub(crate) fn share_from(targets: usize) -> usize {
    if targets < MANY_TARGETS {
        SHARE_FROM
    } else {
        SHARE_AMONG_MANY_FROM
    }
}

/// Subscriptions of connections that have ended, which the routes still have.
#[derive(Debug)]
struct Remains {
    key: ConnectionKey,
    subscriptions: slab::IntoIter<Subscription>,
}

/// The connections that a worker owns.
#[derive(Debug)]
pub(crate) struct Local {
    index: usize,
    routes: Arc<Routes>,
    pub(crate) bounds: Bounds,
    pub(crate) clients: Slab<Connection>,
    pub(crate) counters: Counters,
    pub(crate) now: Instant,
    /// Connections with something to write, in the order in which it came.
    listed: VecDeque<usize>,
    /// Those for which more was left than is written at a time.
    unfinished: VecDeque<usize>,
    remains: VecDeque<Remains>,
    /// Those of the connections that are hubs.
    hubs: Vec<ConnectionKey>,
    /// For the line before a payload.
    head: Vec<u8>,
    blocks: Blocks,
    /// Memory that belongs to the connections, in bytes, about.
    held: usize,
    /// Bytes appended to outputs since they were written last.
    pub(crate) unsent: usize,
    /// Connections that were given to this worker and are not closed.
    connections: Arc<AtomicUsize>,
    /// The connection that is carried out now, and messages and bytes that clients had
    /// published before.
    turn: Option<(ConnectionKey, u64, u64)>,
    pub(crate) closed: Arc<ClosedConnections>,
    /// For reading what nobody wants.
    scratch: Box<[u8]>,
    /// Errors of clients in the log.
    errors: LogLimit,
}

impl Local {
    pub(crate) fn new(
        index: usize,
        config: &Config,
        routes: Arc<Routes>,
        connections: Arc<AtomicUsize>,
        closed: Arc<ClosedConnections>,
    ) -> Self {
        Self {
            index,
            routes,
            bounds: Bounds::new(config.max_pending, config.write_deadline),
            clients: Slab::new(),
            counters: Counters::default(),
            now: Instant::now(),
            listed: VecDeque::new(),
            unfinished: VecDeque::new(),
            remains: VecDeque::new(),
            hubs: Vec::new(),
            head: Vec::new(),
            blocks: Blocks::default(),
            held: 0,
            unsent: 0,
            connections,
            turn: None,
            closed,
            scratch: vec![0; 4096].into(),
            errors: LogLimit::new(MOST_ERRORS_LOGGED),
        }
    }

    /// Memory that belongs to the connections, in bytes, about.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Takes a connection in. `make` gets its key.
    pub(crate) fn insert(
        &mut self,
        id: u64,
        make: impl FnOnce(ConnectionKey) -> Connection,
    ) -> ConnectionKey {
        let entry = self.clients.vacant_entry();
        let key = ConnectionKey::new(self.index, entry.key(), id);
        let client = make(key);
        self.held += client.held();
        if client.link.is_some() {
            self.hubs.push(key);
        }
        entry.insert(client);
        key
    }

    /// The connection, if it is still there.
    #[inline]
    pub(crate) fn get(&mut self, key: ConnectionKey) -> Option<&mut Connection> {
        let client = self.clients.get_mut(key.slot())?;
        (client.key == key).then_some(client)
    }

    /// Changes a connection in a way that may change what it holds.
    pub(crate) fn change<T>(
        &mut self,
        key: ConnectionKey,
        change: impl FnOnce(&mut Connection) -> T,
    ) -> Option<T> {
        let client = self.clients.get_mut(key.slot())?;
        if client.key != key {
            return None;
        }
        let before = client.held();
        let result = change(client);
        self.held = self.held + client.held() - before;
        Some(result)
    }

    /// What clients publish from now on is published by this one.
    pub(crate) fn begin_turn(&mut self, key: ConnectionKey) {
        self.turn = Some((key, self.counters.in_msgs, self.counters.in_bytes));
    }

    /// Counts for the connection what it has published since its turn began.
    pub(crate) fn end_turn(&mut self) {
        let Counters {
            in_msgs, in_bytes, ..
        } = self.counters;
        if let Some((key, msgs, bytes)) = self.turn.take()
            && let Some(client) = self.get(key)
        {
            client.tally.in_msgs += in_msgs - msgs;
            client.tally.in_bytes += in_bytes - bytes;
        }
    }

    /// Appends a line for a client.
    pub(crate) fn tell(&mut self, key: ConnectionKey, line: &[u8]) {
        let Some(client) = self.clients.get_mut(key.slot()) else {
            return;
        };
        if client.key != key {
            return;
        }
        if trace::is_on() {
            trace::sent(client, line);
        }
        let before = client.output.held();
        client.output.push(line, &mut self.blocks);
        self.held = self.held + client.output.held() - before;
        self.unsent += line.len();
        self.list(key.slot());
    }

    #[inline]
    fn list(&mut self, slot: usize) {
        let client = &mut self.clients[slot];
        if client.writing == Writing::Idle {
            client.writing = Writing::Listed;
            self.listed.push_back(slot);
        }
    }

    /// The system takes more for this connection.
    pub(crate) fn unblock(&mut self, slot: usize) {
        if let Some(client) = self.clients.get_mut(slot)
            && client.writing == Writing::Blocked
        {
            client.writing = Writing::Idle;
            self.list(slot);
        }
    }

    /// Appends a message to the output of a connection, if it is still there and still
    /// wants it. Short messages are copied, those of `share_from` bytes shared.
    // Called from several places, and long: copies of it would be of no use.
    #[inline(never)]
    pub(crate) fn deliver(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        target: Target,
        share_from: usize,
    ) -> Delivery {
        let slot = target.connection.slot();
        let Some(client) = self.clients.get_mut(slot) else {
            return Delivery::Refused;
        };
        let publisher = target.connection == origin.key;
        if client.key != target.connection || (publisher && !origin.echo) {
            return Delivery::Refused;
        }
        let Some(subscription) = client.subscriptions.get_mut(target.place) else {
            return Delivery::Refused;
        };
        if subscription.serial != target.serial {
            return Delivery::Refused;
        }
        let (body, pending) = (message.body.len(), client.output.pending());
        if pending > 0 && pending + body > self.bounds.max_pending {
            return Delivery::Full;
        }
        if subscription.looked_at
            && let Some(identity) = &mut client.identity
        {
            let before = identity.memory.held();
            let (subject, reply) = (message.subject.of(buffer), message.reply.of(buffer));
            let allowed = identity.may_receive(subject, reply, self.now);
            self.held = self.held + identity.memory.held() - before;
            if !allowed {
                return Delivery::Refused;
            }
        }
        subscription.delivered += 1;
        let last = subscription
            .max
            .is_some_and(|max| subscription.delivered >= max);
        let sid = &subscription.sid;
        let share_from = if pending > self.bounds.high_water {
            share_from.max(SHARE_BEHIND_FROM)
        } else {
            share_from
        };
        let output = &mut client.output;
        let before = output.held();
        let body = if message.headers == 0 || client.options.headers {
            output.push_message(buffer, message, sid, share_from, &mut self.blocks);
            body
        } else {
            let (copy, message) = message.rewritten(buffer, false);
            output.push_message(&copy.into(), &message, sid, usize::MAX, &mut self.blocks);
            message.body.len()
        };
        self.held = self.held + output.held() - before;
        if trace::is_on()
            && let Some(subscription) = client.subscriptions.get(target.place)
        {
            trace::sent_message(client, buffer, message, &subscription.sid);
        }
        client.tally.count_out(body, self.now);
        self.counters.out_msgs += 1;
        self.counters.out_bytes += body as u64;
        self.unsent += body;
        let crowded = client.is_crowded(&self.bounds);
        self.list(slot);
        if last {
            self.unsubscribe(target.connection, target.place);
        }
        if crowded {
            Delivery::Crowded
        } else {
            Delivery::Accepted
        }
    }

    /// Appends a message to the output of a hub, for `groups` there, if the connection is
    /// still there and the message may cross.
    ///
    /// Before it goes what clients have come to want until now: an answer to the message
    /// would otherwise find nobody who wants it.
    #[inline(never)]
    pub(crate) fn deliver_to_hub(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        key: ConnectionKey,
        groups: &[u8],
        share_from: usize,
    ) -> Delivery {
        self.tell_hub(key);
        let Some(client) = self.clients.get_mut(key.slot()) else {
            return Delivery::Refused;
        };
        let Some(link) = client.link.as_ref().filter(|_| client.key == key) else {
            return Delivery::Refused;
        };
        let copy;
        let (buffer, message) = if message.headers == 0 || link.has_headers() {
            (buffer, message)
        } else {
            let (bytes, message) = message.rewritten(buffer, false);
            copy = (Bytes::from(bytes), message);
            (&copy.0, &copy.1)
        };
        let body = message.body.len();
        if !link.takes(message.subject.of(buffer), body) {
            return Delivery::Refused;
        }
        let pending = client.output.pending();
        if pending > 0 && pending + body > self.bounds.max_pending {
            return Delivery::Full;
        }
        link.count_out(body);
        let share_from = if pending > self.bounds.high_water {
            share_from.max(SHARE_BEHIND_FROM)
        } else {
            share_from
        };
        self.head.clear();
        push_head(&mut self.head, buffer, message, groups);
        if trace::is_on() {
            trace::sent(client, &self.head);
        }
        let output = &mut client.output;
        let before = output.held();
        output.push_to_hub(&self.head, buffer, message, share_from, &mut self.blocks);
        self.held = self.held + output.held() - before;
        self.counters.out_msgs += 1;
        self.counters.out_bytes += body as u64;
        self.unsent += body;
        let crowded = client.is_crowded(&self.bounds);
        self.list(key.slot());
        if crowded {
            Delivery::Crowded
        } else {
            Delivery::Accepted
        }
    }

    /// Tells a hub what clients have come to want and do not want any more.
    pub(crate) fn tell_hub(&mut self, key: ConnectionKey) {
        let lines = self
            .get(key)
            .and_then(|client| client.link.as_ref()?.changes());
        if let Some(lines) = lines {
            self.tell(key, &lines);
        }
    }

    /// Tells all hubs.
    pub(crate) fn tell_hubs(&mut self) {
        for index in 0..self.hubs.len() {
            self.tell_hub(self.hubs[index]);
        }
    }

    /// Whether the system takes no more for this connection.
    pub(crate) fn is_blocked(&self, key: ConnectionKey) -> bool {
        let client = self.clients.get(key.slot());
        client.is_some_and(|client| client.writing == Writing::Blocked)
    }

    /// Makes room for a connection for which much waits: writes what can be written.
    /// Returns how long its publishers are to be stalled, if at all.
    ///
    /// If `needed`, a message is lost if there is no room for it then, and so the
    /// connection ends as a slow consumer.
    #[cold]
    pub(crate) fn relieve(
        &mut self,
        key: ConnectionKey,
        needed: bool,
    ) -> Option<std::time::Duration> {
        self.flush(key.slot());
        while needed
            && self.get(key)?.output.pending() > 0
            && self.get(key)?.writing != Writing::Blocked
        {
            // What is written at a time was not enough.
            self.flush(key.slot());
        }
        if needed && self.get(key)?.output.pending() > 0 {
            self.close(key, Reason::Error(ProtocolError::SlowConsumer));
            return None;
        }
        let now = self.now;
        let backlog = self.get(key)?.backlog(now);
        stall::stall(backlog, &self.bounds)
    }

    /// Writes to the connections that have something to write, each in its turn, until
    /// that is enough for one round. Tells whether it was done with all of them.
    pub(crate) fn flush_all(&mut self) -> bool {
        let mut left = WRITTEN_PER_ROUND;
        while left > 0
            && let Some(slot) = self.listed.pop_front()
        {
            left = left.saturating_sub(self.flush_listed(slot));
        }
        for _ in 0..self.unfinished.len() {
            if left > 0
                && let Some(slot) = self.unfinished.pop_front()
            {
                left = left.saturating_sub(self.flush_listed(slot));
            }
        }
        self.unsent = 0;
        !self.has_more_to_write()
    }

    /// Whether something can be written that was not for want of time.
    pub(crate) fn has_more_to_write(&self) -> bool {
        !(self.listed.is_empty() && self.unfinished.is_empty())
    }

    fn flush_listed(&mut self, slot: usize) -> usize {
        if let Some(client) = self.clients.get_mut(slot)
            && client.writing == Writing::Listed
        {
            client.writing = Writing::Idle;
            return self.flush(slot);
        }
        0
    }

    /// Writes to one connection. Returns how many bytes were written.
    fn flush(&mut self, slot: usize) -> usize {
        let Some(client) = self.clients.get_mut(slot) else {
            return 0;
        };
        if client.writing == Writing::Blocked {
            return 0;
        }
        let (key, held, pending) = (client.key, client.output.held(), client.output.pending());
        let result = client.write(self.now, self.bounds.write_deadline, &mut self.blocks);
        self.held = self.held + client.output.held() - held;
        let Ok(result) = result else {
            self.close(key, Reason::Unwritable);
            return 0;
        };
        let written = pending - client.output.pending();
        match (result, client.writing) {
            (Written::Full, _) => client.writing = Writing::Blocked,
            (Written::Some, Writing::Idle) => {
                client.writing = Writing::Listed;
                self.unfinished.push_back(slot);
            }
            (Written::All, _) if client.phase == Phase::Leaving => self.close(key, Reason::Gone),
            // In a list, it stays there: there is no way to take it out.
            (Written::Some | Written::All, _) => {}
        }
        written
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&mut self, key: ConnectionKey, place: u32) {
        let removed = self.change(key, |client| client.subscriptions.remove(place));
        if let Some(subscription) = removed.flatten() {
            forget(&self.routes, key, place, &subscription);
            self.counters.subscriptions -= 1;
        }
    }

    /// The client sends nothing more and gets nothing new; what waits for it is still
    /// written.
    pub(crate) fn leave(&mut self, key: ConnectionKey) {
        self.end_subscriptions(key);
        if let Some(client) = self.get(key) {
            client.phase = Phase::Leaving;
            self.list(key.slot());
            self.flush(key.slot());
        }
    }

    /// Has the subscriptions of a connection removed, as there is time.
    fn end_subscriptions(&mut self, key: ConnectionKey) {
        let taken = self.change(key, |client| {
            client.ended_subscriptions += client.subscriptions.len();
            std::mem::take(&mut client.subscriptions)
        });
        let Some(subscriptions) = taken.filter(|all| all.len() > 0) else {
            return;
        };
        self.counters.subscriptions -= subscriptions.len() as u64;
        self.remains.push_back(Remains {
            key,
            subscriptions: subscriptions.into_all(),
        });
    }

    /// Removes up to `most` subscriptions of connections that have ended. Tells whether
    /// none is left.
    pub(crate) fn clear_remains(&mut self, most: usize) -> bool {
        let mut left = most;
        while let Some(first) = self.remains.front_mut() {
            if left == 0 {
                return false;
            }
            left -= 1;
            match first.subscriptions.next() {
                #[allow(clippy::cast_possible_truncation, reason = "places are u32")]
                Some((place, subscription)) => {
                    forget(&self.routes, first.key, place as u32, &subscription);
                }
                None => {
                    self.remains.pop_front();
                }
            }
        }
        true
    }

    /// How much memory each connection is answerable for.
    pub(crate) fn usages(&self) -> Vec<(ConnectionKey, usize)> {
        let clients = self.clients.iter();
        let usages = clients.map(|(_, client)| (client.key, client.usage()));
        usages.collect()
    }

    /// Logs how many errors of clients were not logged, when it is time.
    pub(crate) fn log_omitted(&mut self) {
        if let Some(count) = self.errors.omitted(self.now) {
            tracing::warn!("{count} more clients were ended for errors");
        }
    }

    /// Ends a connection, with a word to the client if there is one to say.
    pub(crate) fn close(&mut self, key: ConnectionKey, reason: Reason) {
        self.end_subscriptions(key);
        if self.get(key).is_none() {
            return;
        }
        if self.turn.is_some_and(|(turn, ..)| turn == key) {
            self.end_turn();
        }
        let mut client = self.clients.remove(key.slot());
        self.held -= client.held();
        let (id, address) = (client.id, client.address);
        if let Some(link) = &mut client.link {
            self.hubs.retain(|&known| known != key);
            link.remote.set_connection(None);
            // Who dials logs it.
            note_end(link, reason);
            if let Reason::Error(error) = reason {
                self.counters.slow_consumers += u64::from(error == ProtocolError::SlowConsumer);
                if client.output.forget() {
                    let line = error.line().unwrap_or_default();
                    if trace::is_on() {
                        trace::sent(&client, line.as_bytes());
                    }
                    client.output.push(line.as_bytes(), &mut self.blocks);
                }
            }
            let _ = client.write(self.now, self.bounds.write_deadline, &mut self.blocks);
            client.transport.finish(reason, &mut self.scratch);
            return;
        }
        self.connections.fetch_sub(1, Ordering::Relaxed);
        let (now, write_deadline) = (self.now, self.bounds.write_deadline);
        self.closed
            .add(|| Closed::of(&client, reason, now, write_deadline));
        match reason {
            Reason::Gone | Reason::Unreadable | Reason::Unwritable => {
                tracing::debug!("client {id} at {address} is gone");
            }
            Reason::Shutdown => {}
            Reason::Error(error) => {
                self.log_omitted();
                if self.errors.judge(self.now) == Verdict::Log {
                    tracing::warn!("client {id} at {address}: {error}");
                }
                let is_late = matches!(error, ProtocolError::SlowConsumer | ProtocolError::Memory);
                self.counters.slow_consumers += u64::from(is_late);
                // In the midst of a line there is no place for another.
                if !is_late || client.output.forget() {
                    if let Some(line) = error.line() {
                        if trace::is_on() {
                            trace::sent(&client, line.as_bytes());
                        }
                        client.output.push(line.as_bytes(), &mut self.blocks);
                    }
                    // Best effort: the client may be gone, or full.
                    let _ = client.write(self.now, self.bounds.write_deadline, &mut self.blocks);
                }
            }
        }
        client.transport.finish(reason, &mut self.scratch);
    }
}

/// Notes why a link ends, if that is known here.
fn note_end(link: &mut Link, reason: Reason) {
    match reason {
        // Why is noted, or the hub ended it.
        Reason::Gone | Reason::Unreadable | Reason::Unwritable => {}
        Reason::Shutdown => link.ends(Cause::Lost, "this server ends"),
        Reason::Error(ProtocolError::SlowConsumer) => {
            link.ends(Cause::Lost, "it did not take what waited for it in time");
        }
        Reason::Error(ProtocolError::Stale) => link.ends(Cause::Lost, "it does not answer"),
        Reason::Error(ProtocolError::Memory) => link.ends(
            Cause::Conflict,
            "what it wants takes most of --max-memory, which is used up",
        ),
        Reason::Error(error) => {
            link.ends(Cause::Refused, format!("it breaks the protocol: {error}"));
        }
    }
}

fn forget(routes: &Routes, key: ConnectionKey, place: u32, subscription: &Subscription) {
    let target = Target {
        connection: key,
        place,
        serial: subscription.serial,
    };
    routes.remove(&subscription.subject, subscription.queue.as_deref(), target);
}

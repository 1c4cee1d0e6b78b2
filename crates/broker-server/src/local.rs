//! The connections of one worker, and the last step of delivery: to their outputs.
//!
//! Other workers lock this part of a worker to deliver for it while it sleeps. It does not access
//! other workers.

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
use super::stall::{self, Bounds, Pace, Stalls};
use super::subscriptions::Subscription;
use super::trace;
use broker_protocol::{Message, ProtocolError, SHARE_FROM, push_head};

/// With at least this many subscriptions, even short messages are shared instead of copied.
const MANY_TARGETS: usize = 256;

/// The least size in bytes of a message that is shared in that case.
const SHARE_AMONG_MANY_FROM: usize = 512;

/// The same for a connection that is behind. A shared part keeps its whole chunk in memory for long
/// there, so smaller parts are copied.
const SHARE_BEHIND_FROM: usize = CHUNK / 4;

/// Approximate bytes written in one round before the worker polls for events again.
const WRITTEN_PER_ROUND: usize = 8 << 20;

/// Log lines about client errors per second.
const MOST_ERRORS_LOGGED: u32 = 20;

/// The publisher of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) key: ConnectionKey,
    /// The publisher gets its own messages too.
    pub(crate) echo: bool,
    /// The publisher is a hub: the message goes to no other hub.
    pub(crate) hub: bool,
}

/// The result of delivering a message to one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The message was appended to the output.
    Accepted,
    /// The same, and the output is so long that the publisher may have to be stalled.
    Crowded,
    /// The output is full. Write first, then try again.
    Full,
    /// The subscription does not exist or does not accept the message.
    Refused,
}

/// Returns the least size of a message that is shared among this number of subscriptions.
pub(crate) fn share_from(targets: usize) -> usize {
    if targets < MANY_TARGETS {
        SHARE_FROM
    } else {
        SHARE_AMONG_MANY_FROM
    }
}

/// The subscriptions of a closed connection that are still in the routes.
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
    /// Whether protocol lines are logged, see [`trace`].
    pub(crate) traces: bool,
    /// Connections with output, in the order in which it came.
    listed: VecDeque<usize>,
    /// Connections that have more output than one write may take.
    unfinished: VecDeque<usize>,
    remains: VecDeque<Remains>,
    /// The stalls of publishers that are too fast for these connections.
    pub(crate) stalls: Stalls,
    /// The connections that are hubs.
    hubs: Vec<ConnectionKey>,
    /// Buffer for the line before a payload.
    head: Vec<u8>,
    blocks: Blocks,
    /// Approximate memory that belongs to the connections, in bytes.
    held: usize,
    /// Bytes appended to outputs since the last write.
    pub(crate) unsent: usize,
    /// Connections that were given to this worker and are not closed.
    connections: Arc<AtomicUsize>,
    /// The connection whose input is being executed, and the numbers of messages and bytes that
    /// clients had published before.
    turn: Option<(ConnectionKey, u64, u64)>,
    pub(crate) closed: Arc<ClosedConnections>,
    /// Buffer for input that is discarded.
    scratch: Box<[u8]>,
    /// Limits log lines about client errors.
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
            traces: trace::is_on(),
            listed: VecDeque::new(),
            unfinished: VecDeque::new(),
            remains: VecDeque::new(),
            stalls: Stalls::default(),
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

    /// Returns the approximate memory that belongs to the connections, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Adds a connection. `make` gets its key.
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

    /// Returns the connection, if it still exists.
    #[inline]
    pub(crate) fn get(&mut self, key: ConnectionKey) -> Option<&mut Connection> {
        let client = self.clients.get_mut(key.slot())?;
        (client.key == key).then_some(client)
    }

    /// Changes a connection in a way that may change its memory.
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

    /// Attributes messages to this connection from now on.
    pub(crate) fn begin_turn(&mut self, key: ConnectionKey) {
        self.turn = Some((key, self.counters.in_msgs, self.counters.in_bytes));
        self.stalls.begin();
    }

    /// Adds what the connection has published since `begin_turn` to its counters.
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

    /// Appends a line to a client's output.
    pub(crate) fn tell(&mut self, key: ConnectionKey, line: &[u8]) {
        let Some(client) = self.clients.get_mut(key.slot()) else {
            return;
        };
        if client.key != key {
            return;
        }
        if self.traces {
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

    /// The socket accepts output again.
    pub(crate) fn unblock(&mut self, slot: usize) {
        if let Some(client) = self.clients.get_mut(slot)
            && client.writing == Writing::Blocked
        {
            client.writing = Writing::Idle;
            self.list(slot);
        }
    }

    /// Appends a message to a connection's output, if the connection and the subscription still
    /// exist. Messages of at least `share_from` bytes are shared, others copied.
    // Has several callers and is long, so copies would not help.
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
        client.tally.count_out(body, self.now);
        self.counters.out_msgs += 1;
        self.counters.out_bytes += body as u64;
        self.unsent += body;
        let crowded = client.is_crowded(&self.bounds);
        self.list(slot);
        if self.traces {
            self.trace_message(buffer, message, target);
        }
        if last {
            self.unsubscribe(target.connection, target.place);
        }
        if crowded {
            Delivery::Crowded
        } else {
            Delivery::Accepted
        }
    }

    #[cold]
    #[inline(never)]
    fn trace_message(&self, buffer: &[u8], message: &Message, target: Target) {
        if let Some(client) = self.clients.get(target.connection.slot())
            && let Some(subscription) = client.subscriptions.get(target.place)
        {
            trace::sent_message(client, buffer, message, &subscription.sid);
        }
    }

    /// Appends a message to a hub's output, for the hub's `groups`, if the connection still exists
    /// and the message may pass.
    ///
    /// Announces new subscriptions first: otherwise a reply to the message would find no
    /// subscription.
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
        if !link.takes(message.subject.of(buffer)) {
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
        if self.traces {
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

    /// Announces changed subscriptions to a hub.
    pub(crate) fn tell_hub(&mut self, key: ConnectionKey) {
        let lines = self
            .get(key)
            .and_then(|client| client.link.as_ref()?.changes());
        if let Some(lines) = lines {
            self.tell(key, &lines);
        }
    }

    /// Announces changed subscriptions to all hubs.
    pub(crate) fn tell_hubs(&mut self) {
        for index in 0..self.hubs.len() {
            self.tell_hub(self.hubs[index]);
        }
    }

    /// Returns whether the socket's buffer is full.
    pub(crate) fn is_blocked(&self, key: ConnectionKey) -> bool {
        let client = self.clients.get(key.slot());
        client.is_some_and(|client| client.writing == Writing::Blocked)
    }

    /// Makes room in a connection's output by writing as much as possible. Returns the pace of
    /// its publishers, if they must be slowed down.
    ///
    /// With `needed`, the connection is closed as a slow consumer if there is still no room, since
    /// the message would be lost.
    #[cold]
    pub(crate) fn relieve(&mut self, key: ConnectionKey, needed: bool) -> Option<Pace> {
        self.flush(key.slot());
        while needed
            && self.get(key)?.output.pending() > 0
            && self.get(key)?.writing != Writing::Blocked
        {
            // One write takes a limited number of bytes.
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

    /// Writes to the connections with output, in order, up to the limit for one round. Returns
    /// whether all are done.
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

    /// Writes to a connection before its turn, which comes after others with much output.
    pub(crate) fn flush_now(&mut self, key: ConnectionKey) {
        if self.get(key).is_some() {
            self.flush(key.slot());
        }
    }

    /// Returns whether the limit for one round has left output over.
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

    /// Writes to one connection. Returns the number of bytes.
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
        let result = match result {
            Ok(result) => result,
            Err(error) => {
                tracing::debug!("connection {}: cannot write: {error}", key.id);
                self.close(key, Reason::Unwritable);
                return 0;
            }
        };
        let written = pending - client.output.pending();
        match (result, client.writing) {
            (Written::Full, _) => client.writing = Writing::Blocked,
            (Written::Some, Writing::Idle) => {
                client.writing = Writing::Listed;
                self.unfinished.push_back(slot);
            }
            (Written::All, _) => {
                if let Phase::Leaving(reason) = client.phase {
                    self.close(key, reason);
                }
            }
            // A listed connection stays in its list, because it cannot be removed from the middle.
            (Written::Some, _) => {}
        }
        written
    }

    /// Logs that the TLS or WebSocket handshake of a client failed. A hub's is logged with its link.
    #[cold]
    pub(crate) fn log_handshake(&mut self, key: ConnectionKey, error: &std::io::Error) {
        self.log_omitted();
        let Some(client) = self.clients.get(key.slot()) else {
            return;
        };
        if client.link.is_none() && self.errors.judge(self.now) == Verdict::Log {
            let (id, address) = (client.id, client.address);
            tracing::warn!("client {id} at {address}: the handshake failed: {error}");
        }
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&mut self, key: ConnectionKey, place: u32) {
        let removed = self.change(key, |client| client.subscriptions.remove(place));
        if let Some(subscription) = removed.flatten() {
            forget(&self.routes, key, place, &subscription);
            self.counters.subscriptions -= 1;
        }
    }

    /// The client sends nothing more and gets no new messages; its pending output is still written.
    pub(crate) fn leave(&mut self, key: ConnectionKey, reason: Reason) {
        self.end_subscriptions(key);
        if let Some(client) = self.get(key) {
            client.phase = Phase::Leaving(reason);
            self.list(key.slot());
            self.flush(key.slot());
        }
    }

    /// Schedules the removal of a connection's subscriptions.
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

    /// Removes up to `most` subscriptions of closed connections. Returns whether none is left.
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

    /// Returns the memory charged to each connection.
    pub(crate) fn usages(&self) -> Vec<(ConnectionKey, usize)> {
        let clients = self.clients.iter();
        let usages = clients.map(|(_, client)| (client.key, client.usage()));
        usages.collect()
    }

    /// Logs the number of client errors that were not logged, when the interval is over.
    pub(crate) fn log_omitted(&mut self) {
        if let Some(count) = self.errors.omitted(self.now) {
            tracing::warn!("{count} more clients were disconnected because of errors");
        }
    }

    /// Closes a connection, after sending the client an error if there is one.
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
            // The connecting thread logs it.
            note_end(link, reason);
            if let Reason::Error(error) = reason {
                self.counters.slow_consumers += u64::from(error == ProtocolError::SlowConsumer);
                if client.output.forget() {
                    let line = error.line().unwrap_or_default();
                    if self.traces {
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
                tracing::debug!("client {id} at {address} disconnected");
            }
            Reason::Shutdown => {}
            Reason::Error(error) => {
                self.log_omitted();
                if self.errors.judge(self.now) == Verdict::Log {
                    match client.rejected() {
                        "" => tracing::warn!("client {id} at {address}: {error}"),
                        given => tracing::warn!("client {id} at {address}: {error}: {given}"),
                    }
                }
                let is_late = matches!(error, ProtocolError::SlowConsumer | ProtocolError::Memory);
                self.counters.slow_consumers += u64::from(is_late);
                // Within another line, -ERR cannot be sent.
                if !is_late || client.output.forget() {
                    if let Some(line) = error.line() {
                        if self.traces {
                            trace::sent(&client, line.as_bytes());
                        }
                        client.output.push(line.as_bytes(), &mut self.blocks);
                    }
                    // Best effort: the client may have disconnected, or its socket may be full.
                    let _ = client.write(self.now, self.bounds.write_deadline, &mut self.blocks);
                }
            }
        }
        client.transport.finish(reason, &mut self.scratch);
    }
}

/// Records why a link ends, if the reason is known here.
fn note_end(link: &mut Link, reason: Reason) {
    match reason {
        // The reason is recorded already, or the hub ended the link.
        Reason::Gone | Reason::Unreadable | Reason::Unwritable => {}
        Reason::Shutdown => link.ends(Cause::Lost, "this server is shutting down"),
        Reason::Error(ProtocolError::SlowConsumer) => {
            link.ends(
                Cause::Lost,
                "the hub did not read its pending output in time",
            );
        }
        Reason::Error(ProtocolError::Stale) => {
            link.ends(Cause::Lost, "the hub does not answer PING");
        }
        Reason::Error(ProtocolError::Memory) => link.ends(
            Cause::Conflict,
            "--max-memory is reached, and this connection uses most of it",
        ),
        Reason::Error(error) => {
            link.ends(Cause::Refused, format!("protocol error: {error}"));
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

#[cfg(test)]
mod tests {
    use super::super::rig::local_with;
    use super::*;

    /// INFO must be written before TLS begins, whatever others have pending.
    #[test]
    fn a_line_can_be_written_before_the_output_of_others() {
        let (mut local, _clients) = local_with(64);
        let keys: Vec<_> = local.clients.iter().map(|(_, client)| client.key).collect();
        let (&last, others) = keys.split_last().expect("there are some");
        let much = vec![b'x'; 1 << 20];
        for &key in others {
            local.tell(key, &much);
        }
        local.tell(last, b"INFO {}\r\n");
        let pending = |local: &mut Local| local.get(last).map(|client| client.output.pending());
        // The round ends before the last one's turn.
        assert!(!local.flush_all());
        assert_eq!(pending(&mut local), Some(9));
        local.flush_now(last);
        assert_eq!(pending(&mut local), Some(0));
        // Its place in the list does no harm.
        while !local.flush_all() {}
    }
}

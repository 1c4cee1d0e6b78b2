//! A thread with an event loop over the connections that it owns.

mod arrival;
mod ending;
mod lame_duck;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::event::Event;
use mio::{Events, Poll, Registry, Token};

use self::ending::stop;
use super::access::Grant;
use super::chunks::Chunks;
use super::connection::{Due, Phase, Reading};
use super::execute::{Carried, Executor, identify};
use super::handle::Wish;
use super::input::Read;
use super::inspect::Asked;
use super::key::ConnectionKey;
use super::local::{Local, Reason};
use super::mailbox::{Mail, Mailbox};
use super::settings::Settings;
use super::shared::Shared;
use super::stall::Bounds;
use super::turns::{ROUND, TURN, Turns};
use broker_protocol::{Connect, ProtocolError};

/// The token of the mailbox; the tokens of connections are their slots.
pub(crate) const MAIL: Token = Token(usize::MAX);

/// Approximate number of bytes appended to outputs before they are written: more would not fit into
/// the caches of a CPU.
const UNSENT: usize = 256 * 1024;

/// Bytes appended to outputs at which executing frames is interrupted for writing.
const MOST_UNSENT: usize = 4 * UNSENT;

/// Pending bytes for another worker above which no input is read.
const MOST_MAIL: usize = 512 * 1024;

/// The share of `max_pending`, as its divisor, that may be on the way to another worker: it comes on
/// top of what is pending when a publisher is stalled, and must fit several times into each quarter.
const ON_THE_WAY: usize = 32;

/// Delay before checking conditions that no event reports.
const SHORTLY: Duration = Duration::from_millis(1);

/// Work of a read, and of each byte that it returns, see [`super::turns`].
const PER_READ: u64 = 80;
const BYTES_PER_WORK: u64 = 256;

/// Subscriptions of closed connections that are removed in one round.
const MOST_REMOVED: usize = 512;

/// Connections taken over in one round.
const MOST_WELCOMED: usize = 16;

/// Most reads from one connection before the server ends.
const MOST_LAST_READS: usize = 64;

/// Runs a worker until the server ends. Returns whether all of its clients' output has been
/// written.
///
/// The worker holds the lock on its connections while it works. While it waits for events, other
/// workers may deliver to them.
///
/// # Errors
///
/// The system reports no more events.
pub(crate) fn run(mut worker: Worker, mut poll: Poll) -> io::Result<bool> {
    let shared = Arc::clone(&worker.shared);
    let peer = &shared.workers[worker.index];
    let mut events = Events::with_capacity(1024);
    loop {
        let mut place = peer.local();
        let local = place
            .as_mut()
            .expect("the worker owns its connections until it ends");
        if let Some(clean) = worker.round(local, &events) {
            *place = None;
            // Other workers may still have messages for clients that got everything.
            peer.mailbox.close();
            return Ok(clean);
        }
        let timeout = worker.fall_asleep(local);
        drop(place);
        let polled = poll.poll(&mut events, timeout);
        shared.begin_round(worker.index, Instant::now());
        peer.mailbox.wake_up();
        match polled {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            polled => polled?,
        }
    }
}

/// The result of a turn.
enum Turn {
    /// There is no more input now.
    Idle,
    /// There may be more input.
    More,
}

/// A worker without its connections.
#[derive(Debug)]
pub(crate) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    executor: Executor,
    registry: Registry,
    chunks: Chunks,
    turns: Turns,
    /// Connections that are stalled.
    stalled: Vec<ConnectionKey>,
    /// Connections that get INFO at this time unless they have begun TLS, earliest first.
    hesitant: VecDeque<(Instant, ConnectionKey)>,
    /// Another worker's mailbox is too full.
    congested: bool,
    /// Pending bytes for another worker above which it counts as too full.
    most_mail: usize,
    /// Bytes appended to outputs and batches above which they are written and sent.
    most_unsent: usize,
    /// The routes contain subscriptions of closed connections.
    remains: bool,
    tick: Duration,
    next_tick: Instant,
    /// The greatest request to the server so far.
    asked: Wish,
    /// Connections whose clients were informed of lame duck mode.
    warned: Vec<ConnectionKey>,
    draining: Option<Instant>,
}

impl Worker {
    pub(crate) fn new(index: usize, shared: Arc<Shared>, registry: Registry) -> Self {
        let executor = Executor::new(index, Arc::clone(&shared));
        Self {
            index,
            registry,
            chunks: Chunks::new(Arc::clone(&shared.workers[index].lent)),
            turns: Turns::default(),
            stalled: Vec::new(),
            hesitant: VecDeque::new(),
            congested: false,
            most_mail: MOST_MAIL.min(shared.config.max_pending / ON_THE_WAY),
            most_unsent: UNSENT.min(shared.config.max_pending / ON_THE_WAY),
            remains: false,
            tick: executor.settings.tick(),
            next_tick: Instant::now(),
            asked: Wish::Serve,
            warned: Vec::new(),
            draining: None,
            executor,
            shared,
        }
    }

    /// Returns the worker's number.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    fn mailbox(&self) -> &Mailbox {
        &self.shared.workers[self.index].mailbox
    }

    /// Handles `events` and mail. After the end of the server, returns whether all of its clients'
    /// output has been written.
    fn round(&mut self, local: &mut Local, events: &Events) -> Option<bool> {
        local.now = Instant::now();
        for event in events {
            if event.token() != MAIL {
                self.note(local, event);
            }
        }
        self.serve(local);
        self.settle(local);
        self.welcome_some(local);
        self.take_links(local);
        self.read_mail(local);
        match self.asked {
            Wish::Stop => {
                stop(local);
                return Some(true);
            }
            Wish::Drain => self.drain(local),
            Wish::LameDuck | Wish::Serve => {}
        }
        self.end_stalls(local);
        self.end_hesitation(local);
        if local.now >= self.next_tick {
            self.tick(local);
        }
        if self.mailbox().take_interest() {
            local.tell_hubs();
        }
        self.flush(local);
        self.remains = !local.clear_remains(MOST_REMOVED);
        self.shared.workers[self.index].publish(local);
        if self.shared.is_over_memory() {
            self.shed(local);
        }
        self.draining.and_then(|deadline| self.end(local, deadline))
    }

    /// Returns how long to wait for events. If it is not zero, other threads see the worker asleep.
    fn fall_asleep(&self, local: &Local) -> Option<Duration> {
        let timeout = self.timeout(local);
        if timeout != Some(Duration::ZERO) && !self.mailbox().fall_asleep() {
            return Some(Duration::ZERO);
        }
        timeout
    }

    fn timeout(&self, local: &Local) -> Option<Duration> {
        let congested = self.congested && self.is_congested();
        if !self.turns.is_empty() && !congested || local.has_more_to_write() || self.remains {
            return Some(Duration::ZERO);
        }
        // The wake-up after congestion may have been missed.
        if congested || !self.stalled.is_empty() || self.draining.is_some() {
            return Some(SHORTLY);
        }
        if local.clients.is_empty() {
            return None;
        }
        let next = match self.hesitant.front() {
            Some(&(deadline, _)) => deadline.min(self.next_tick),
            None => self.next_tick,
        };
        Some(next.saturating_duration_since(local.now))
    }

    fn note(&mut self, local: &mut Local, event: &Event) {
        let slot = event.token().0;
        if event.is_writable() {
            local.unblock(slot);
        }
        if (event.is_readable() || event.is_read_closed() || event.is_error())
            && let Some(client) = local.clients.get_mut(slot)
        {
            client.ending |= event.is_read_closed();
            self.queue(local, slot);
        }
    }

    /// Queues a connection for a turn, if it is idle.
    fn queue(&mut self, local: &mut Local, slot: usize) {
        if let Some(client) = local.clients.get_mut(slot)
            && client.reading == Reading::Idle
        {
            client.reading = Reading::Queued;
            // After a stall, its place from before may still be there.
            if !std::mem::replace(&mut client.has_place, true) {
                self.turns.push(client.key, client.served);
            }
        }
    }

    /// Gives queued connections their turns, up to the limit of one round.
    fn serve(&mut self, local: &mut Local) {
        self.congested = false;
        let mut left = ROUND;
        while left > 0 {
            if self.is_congested() {
                self.congested = !self.turns.is_empty();
                return;
            }
            if self.shared.is_over_memory() {
                return;
            }
            let Some((key, served)) = self.turns.pop() else {
                return;
            };
            let Some(client) = local.get(key) else {
                continue;
            };
            client.has_place = false;
            if client.reading != Reading::Queued {
                // The connection is queued when the stall is over.
                continue;
            }
            client.reading = Reading::Idle;
            let (turn, work) = self.turn(local, key);
            left = left.saturating_sub(work);
            if let Some(client) = local.get(key) {
                client.served = served + work;
                if matches!(turn, Turn::More) {
                    self.queue(local, key.slot());
                }
            }
            self.stall_publishers(local);
            if local.unsent > self.most_unsent {
                self.flush(local);
            }
            self.shared.workers[self.index].publish(local);
        }
    }

    /// Executes a client's input: the rest of an earlier turn, or the result of one read. Also
    /// returns the work done.
    fn turn(&mut self, local: &mut Local, key: ConnectionKey) -> (Turn, u64) {
        let rest = local
            .get(key)
            .filter(|client| client.reading != Reading::Verifying)
            .and_then(|client| client.input.take_rest());
        if let Some(rest) = rest {
            let (interrupted, work) = self.carry_out(local, key, &rest, TURN);
            // There may be more to read, and the event that reported it has been consumed.
            let turn = if interrupted || local.get(key).is_some() {
                Turn::More
            } else {
                Turn::Idle
            };
            return (turn, work);
        }
        let Self { chunks, .. } = self;
        let read = local.change(key, |client| {
            if client.is_leaving() || client.reading == Reading::Verifying {
                return Err(ErrorKind::WouldBlock.into());
            }
            client.input.read(&mut client.transport, chunks)
        });
        let Some(read) = read else {
            return (Turn::Idle, PER_READ);
        };
        self.end_handshake(local, key);
        match read {
            Ok(Read { data, more }) => {
                let mut work = PER_READ + data.len() as u64 / BYTES_PER_WORK;
                // Before the input is executed: a client may end a subscription because of
                // something that another worker did before, and messages that the other worker had
                // sent until then still belong to the subscription.
                self.read_mail(local);
                let (interrupted, done) = self.carry_out(local, key, &data, TURN);
                work += done;
                let ending = local.get(key).is_some_and(|client| client.ending);
                if interrupted || more || ending {
                    (Turn::More, work)
                } else {
                    (Turn::Idle, work)
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => (Turn::Idle, PER_READ),
            Err(error) if error.kind() == ErrorKind::Interrupted => (Turn::More, PER_READ),
            Err(error) => {
                self.end_input(local, key, &error);
                (Turn::Idle, PER_READ)
            }
        }
    }

    /// The client has closed its side.
    fn end_input(&mut self, local: &mut Local, key: ConnectionKey, error: &io::Error) {
        let phase = local.get(key).map(|client| client.phase);
        match error.kind() {
            // A client that has not ended its handshake has no pending output.
            ErrorKind::UnexpectedEof if matches!(phase, Some(Phase::Handshake(_))) => {
                local.close(key, Reason::Gone);
            }
            ErrorKind::UnexpectedEof => {
                self.settle(local);
                local.leave(key, Reason::Gone);
            }
            ErrorKind::Unsupported if self.shared.config.tls_start.allows_clear() => {
                self.go_on_in_clear(local, key);
            }
            // A client that sends plaintext to a TLS port gets the error in plaintext.
            ErrorKind::Unsupported => {
                #[cfg(feature = "tls")]
                local.change(key, |client| client.transport.layers = None);
                local.close(key, Reason::Error(ProtocolError::TlsRequired));
            }
            _ => {
                if error.kind() == ErrorKind::InvalidData
                    && matches!(phase, Some(Phase::Handshake(_)))
                {
                    local.log_handshake(key, error);
                } else {
                    tracing::debug!("connection {}: cannot read: {error}", key.id);
                }
                if let Some(link) = local.get(key).and_then(|client| client.link.as_mut()) {
                    link.failed(error);
                }
                local.close(key, Reason::Unreadable);
            }
        }
    }

    /// Executes a client's input, and keeps the rest. Returns whether the turn was too short, and
    /// the work done.
    fn carry_out(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        most: u64,
    ) -> (bool, u64) {
        if data.is_empty() {
            return (false, 0);
        }
        let (mut at, mut sum) = (0, 0);
        loop {
            let part = data.slice(at..);
            // In parts, so outputs are written before too much is appended.
            let most_now = (most - sum).min(TURN / 4);
            local.begin_turn(key);
            let (used, work, carried) = self.executor.carry_out(local, key, &part, most_now);
            local.end_turn();
            at += used;
            sum += work;
            match carried {
                Carried::Interrupted if sum < most && local.unsent < MOST_UNSENT => {}
                Carried::Interrupted => {
                    let rest = data.slice(at..);
                    local.change(key, |client| client.input.keep_rest(rest));
                    return (true, sum);
                }
                Carried::Verifying => {
                    let rest = data.slice(at..);
                    local.change(key, |client| client.input.keep_rest(rest));
                    return (false, sum);
                }
                Carried::All { needed } => {
                    if at < data.len() {
                        let start = &data[at..];
                        local.change(key, |client| client.input.keep_start(start, needed));
                    }
                    return (false, sum);
                }
                Carried::Failed(error) => {
                    // The client's earlier messages are sent before it sees the end.
                    self.settle(local);
                    local.close(key, Reason::Error(error));
                    return (false, sum);
                }
            }
        }
    }

    /// Sends the batches to the other workers.
    fn settle(&mut self, local: &mut Local) {
        let Executor {
            dispatch, cache, ..
        } = &mut self.executor;
        dispatch.settle(local, cache);
    }

    /// Sends the batches to the other workers, and writes to clients.
    fn flush(&mut self, local: &mut Local) {
        self.settle(local);
        local.flush_all();
        self.stall_publishers(local);
    }

    /// Returns whether another worker's mailbox is too full. That worker will wake this one when
    /// there is room.
    fn is_congested(&self) -> bool {
        let is_full = |mailbox: &Mailbox| mailbox.bytes() > self.most_mail;
        self.others().any(|mailbox| {
            is_full(mailbox) && {
                mailbox.await_room();
                // There may be room by now, without a wake-up.
                is_full(mailbox)
            }
        })
    }

    /// Returns the mailboxes of the other workers.
    fn others(&self) -> impl Iterator<Item = &Mailbox> {
        let own = self.index;
        let peers = self.shared.workers.iter().enumerate();
        peers.filter_map(move |(index, peer)| (index != own).then_some(&peer.mailbox))
    }

    /// Wakes the other workers when the mailbox has room again.
    fn tell_of_room(&self) {
        let mailbox = self.mailbox();
        if mailbox.bytes() <= self.most_mail / 2 && mailbox.was_awaited() {
            self.others().for_each(Mailbox::rouse);
        }
    }

    /// Stalls publishers that are faster than their subscribers.
    fn stall_publishers(&mut self, local: &mut Local) {
        let Self {
            executor, stalled, ..
        } = self;
        executor
            .dispatch
            .take_stalls(|key, end| begin_stall(local, stalled, key, end));
    }

    fn end_stalls(&mut self, local: &mut Local) {
        let now = local.now;
        let mut stalled = std::mem::take(&mut self.stalled);
        stalled.retain(|&key| {
            let Some(client) = local.get(key) else {
                return false;
            };
            match client.reading {
                Reading::Stalled(end) if now < end => return true,
                Reading::Stalled(_) => {
                    client.reading = Reading::Idle;
                    self.queue(local, key.slot());
                }
                // A CONNECT of the same turn is being checked.
                Reading::Idle | Reading::Queued | Reading::Verifying => {}
            }
            false
        });
        self.stalled = stalled;
    }

    /// Processes the mail that has arrived by now. More may arrive meanwhile, which is left for
    /// later.
    fn read_mail(&mut self, local: &mut Local) {
        for _ in 0..self.mailbox().len() {
            let Some(mail) = self.mailbox().take() else {
                return;
            };
            self.tell_of_room();
            match mail {
                Mail::Messages(batch, worker) => {
                    self.executor.dispatch.arrive(local, &batch);
                    self.settle(local);
                    self.mailbox().settle();
                    self.shared.workers[worker].give_back(batch);
                    if local.unsent > self.most_unsent {
                        self.flush(local);
                    }
                    self.stall_publishers(local);
                }
                Mail::Stall(key, end) => begin_stall(local, &mut self.stalled, key, end),
                Mail::NoResponders(key, reply) => {
                    let Executor {
                        dispatch, cache, ..
                    } = &mut self.executor;
                    dispatch.nobody_answers(local, cache, key, &reply);
                    self.mailbox().settle();
                }
                Mail::Verified(key, connect, grant) => {
                    self.verified(local, key, *connect, grant);
                }
                Mail::Settings(settings, _taken) => self.renew(local, settings),
                Mail::Excess(count) => close_newest(local, count),
                Mail::Asked(asked) => self.answer(local, *asked),
                Mail::Shed => {
                    if self.shared.is_over_memory() {
                        self.shed(local);
                    }
                }
                Mail::LameDuck => self.warn(local),
                Mail::LetGo => self.let_one_go(local),
                Mail::Drain => self.asked = self.asked.max(Wish::Drain),
                Mail::Stop => self.asked = Wish::Stop,
            }
        }
    }

    /// Applies new settings. Clients that may not stay are disconnected with an error, and
    /// subscriptions that are not allowed any more end.
    fn renew(&mut self, local: &mut Local, settings: Arc<Settings>) {
        self.tick = settings.tick();
        self.next_tick = self.next_tick.min(local.now + self.tick);
        let max_pending = self.shared.config.max_pending;
        local.bounds = Bounds::new(max_pending, settings.intervals.write_deadline);
        let clients = local.clients.iter();
        let known: Vec<_> = clients
            .filter_map(|(_, client)| Some((client.key, client.identity.as_ref()?)))
            .map(|(key, identity)| (key, settings.access.renew(&identity.grant)))
            .collect();
        self.executor.settings = settings;
        for (key, grant) in known {
            match grant {
                Some(grant) => identify(local, key, grant),
                None => local.close(key, Reason::Error(ProtocolError::Authorization)),
            }
        }
    }

    /// Answers the monitor, unless its deadline has passed.
    fn answer(&self, local: &Local, asked: Asked) {
        if Instant::now() < asked.until {
            let cache = || self.executor.cache.figures();
            let answer = asked.question.answer(local, cache);
            // The receiver may have given up.
            let _ = asked.reply.send((self.index, answer));
        }
    }

    /// Continues with a connection whose password was checked.
    fn verified(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        connect: Connect,
        grant: Option<Arc<Grant>>,
    ) {
        let Some(client) = local.get(key) else {
            return;
        };
        client.reading = Reading::Idle;
        match self.executor.verified(local, key, connect, grant) {
            Ok(()) => self.queue(local, key.slot()),
            Err(error) => local.close(key, Reason::Error(error)),
        }
    }

    /// Checks the timeouts of all connections.
    fn tick(&mut self, local: &mut Local) {
        let now = local.now;
        self.next_tick = now + self.tick;
        local.log_omitted();
        local.stalls.forget(now);
        let intervals = self.executor.settings.intervals;
        let mut due = Vec::new();
        let mut largest = 0;
        for (_, client) in &mut local.clients {
            largest = largest.max(client.usage());
            match client.due(now, &intervals) {
                Due::Nothing => {}
                other => due.push((client.key, other)),
            }
        }
        self.shared.workers[self.index]
            .largest
            .store(largest, Ordering::Relaxed);
        for (key, due) in due {
            match due {
                Due::Nothing => {}
                Due::Ping => local.tell(key, b"PING\r\n"),
                Due::End(ProtocolError::AuthenticationTimeout)
                    if self.may_be_in_clear(local, key) =>
                {
                    self.go_on_in_clear(local, key);
                }
                Due::End(error) => local.close(key, Reason::Error(error)),
            }
        }
    }

    /// Closes the connections with the most memory until the limit is met, while they belong to
    /// this worker. If another worker has a larger connection, that worker is asked to do so
    /// instead.
    #[cold]
    fn shed(&mut self, local: &mut Local) {
        let own = &self.shared.workers[self.index];
        let mut usages = local.usages();
        usages.sort_unstable_by_key(|&(_, usage)| std::cmp::Reverse(usage));
        let peers = self.shared.workers.iter().enumerate();
        let others = peers.filter(|&(index, peer)| index != self.index && !peer.is_dead());
        let largest = others.map(|(_, peer)| (peer.largest.load(Ordering::Relaxed), peer));
        let largest = largest.max_by_key(|&(usage, _)| usage);
        for (key, usage) in usages {
            own.publish(local);
            own.largest.store(usage, Ordering::Relaxed);
            if !self.shared.is_over_memory() {
                return;
            }
            if let Some((most, peer)) = largest
                && most > usage
            {
                peer.mailbox.send(Mail::Shed);
                return;
            }
            local.close(key, Reason::Error(ProtocolError::Memory));
        }
        own.publish(local);
        own.largest.store(0, Ordering::Relaxed);
    }
}

fn begin_stall(
    local: &mut Local,
    stalled: &mut Vec<ConnectionKey>,
    key: ConnectionKey,
    end: Instant,
) {
    let Some(client) = local.get(key) else {
        return;
    };
    match client.reading {
        Reading::Verifying => {}
        Reading::Stalled(other) => client.reading = Reading::Stalled(end.max(other)),
        Reading::Idle | Reading::Queued => {
            client.reading = Reading::Stalled(end);
            stalled.push(key);
            local.counters.stalls += 1;
        }
    }
}

/// Closes this number of the newest client connections.
fn close_newest(local: &mut Local, count: usize) {
    let clients = local.clients.iter();
    let clients = clients.filter(|(_, client)| client.link.is_none());
    let mut known: Vec<_> = clients.map(|(_, client)| (client.id, client.key)).collect();
    known.sort_unstable_by_key(|&(id, _)| std::cmp::Reverse(id));
    for (_, key) in known.into_iter().take(count) {
        local.close(key, Reason::Error(ProtocolError::Connections));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, local_with};
    use super::*;

    #[test]
    fn a_stalled_connection_has_one_place_in_the_order() {
        let poll = Poll::new().expect("the system has events");
        let registry = poll.registry().try_clone().expect("it is open");
        let mut worker = Worker::new(0, Rig::new().shared(), registry);
        let (mut local, _clients) = local_with(2);
        let keys = ending::keys(&local);
        for _ in 0..100 {
            for &key in &keys {
                worker.queue(&mut local, key.slot());
                let end = local.now;
                begin_stall(&mut local, &mut worker.stalled, key, end);
            }
            worker.end_stalls(&mut local);
            assert_eq!(worker.turns.len(), keys.len());
        }
        worker.serve(&mut local);
        assert!(worker.turns.is_empty());
        worker.queue(&mut local, keys[0].slot());
        assert_eq!(worker.turns.len(), 1);
    }
}

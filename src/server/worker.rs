//! A thread with an event loop over the connections that it owns.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};

use super::batch::Producer;
use super::cache::Cache;
use super::chunks::{CHUNK, Chunks};
use super::connection::{Connection, Due, short};
use super::delivery::{Delivery, Reason};
use super::mailbox::{Mail, Mailbox};
use super::shared::Shared;
use super::transport::Transport;
use crate::protocol::ProtocolError;

/// The token of the mailbox; connections have those of their slots.
pub(crate) const MAIL: Token = Token(usize::MAX);

/// What is appended to outputs before it is written, in bytes, about: more would
/// not fit into the caches of a CPU.
const UNSENT: usize = 256 * 1024;

/// What may wait for another worker, in bytes, before nothing is read any more.
const MOST_MAIL: usize = 512 * 1024;

/// How long to wait before looking again at what nobody announces.
const SHORTLY: Duration = Duration::from_millis(1);

/// Has the worker of this number serve its clients until the server ends. Tells
/// whether all that they were to get has been written.
///
/// The worker is locked while it has something to do, and free for others to
/// stand in for it while it waits for events.
///
/// # Errors
///
/// When the system has no events to tell any more.
pub(crate) fn run(index: usize, shared: &Shared, mut poll: Poll) -> io::Result<bool> {
    let peer = &shared.workers[index];
    let mut events = Events::with_capacity(1024);
    loop {
        let mut place = peer.worker();
        let worker = place.as_mut().expect("it is there until it ends here");
        if let Some(clean) = worker.round(&events) {
            *place = None;
            return Ok(clean);
        }
        let timeout = worker.fall_asleep();
        drop(place);
        let polled = poll.poll(&mut events, timeout);
        peer.mailbox.wake_up();
        match polled {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            polled => polled?,
        }
    }
}

/// A worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(super) delivery: Delivery,
    pub(super) shared: Arc<Shared>,
    pub(super) cache: Cache,
    registry: Registry,
    chunks: Chunks,
    /// Connections with something to read that was not read yet.
    ready: VecDeque<Producer>,
    /// Connections that are not read from for a while.
    paused: Vec<Producer>,
    /// Another worker has more to do than it may.
    congested: bool,
    /// Bytes that may wait for another worker.
    most_mail: usize,
    due: Due,
    tick: Duration,
    next_tick: Instant,
    /// The server is about to end.
    to_drain: bool,
    draining: Option<Instant>,
}

impl Worker {
    pub(crate) fn new(index: usize, shared: Arc<Shared>, registry: Registry) -> Self {
        let config = &shared.config;
        let due = Due {
            ping_interval: config.ping_interval,
            max_pings_out: config.max_pings_out,
            write_deadline: config.write_deadline,
        };
        let shortest = due
            .ping_interval
            .min(due.write_deadline)
            .min(config.auth_timeout);
        Self {
            cache: Cache::new(),
            registry,
            chunks: Chunks::default(),
            ready: VecDeque::new(),
            paused: Vec::new(),
            congested: false,
            most_mail: MOST_MAIL.min(config.max_pending / 8),
            due,
            tick: (shortest / 4).clamp(Duration::from_millis(10), Duration::from_millis(500)),
            next_tick: Instant::now(),
            to_drain: false,
            draining: None,
            delivery: Delivery::new(index, Arc::clone(&shared)),
            shared,
        }
    }

    /// Serves what `events` tell and what others have sent. Tells whether all that
    /// clients were to get has been written, once the server has ended.
    fn round(&mut self, events: &Events) -> Option<bool> {
        self.delivery.now = Instant::now();
        for event in events {
            if event.token() != MAIL {
                self.handle(event);
            }
        }
        self.congested = false;
        for _ in 0..self.ready.len() {
            if let Some(producer) = self.ready.pop_front() {
                self.receive(producer);
            }
        }
        self.delivery.send_batches();
        self.read_mail();
        if self.to_drain {
            self.drain();
        }
        self.end_pauses();
        if self.delivery.now >= self.next_tick {
            self.tick();
        }
        self.delivery.flush_all();
        self.delivery.publish_counters();
        self.draining.and_then(|deadline| self.leave(deadline))
    }

    /// How long to wait for events; others see the worker asleep if at all.
    fn fall_asleep(&self) -> Option<Duration> {
        let mailbox = &self.shared.workers[self.delivery.index].mailbox;
        let timeout = self.timeout();
        if timeout != Some(Duration::ZERO) && !mailbox.fall_asleep() {
            return Some(Duration::ZERO);
        }
        timeout
    }

    fn timeout(&self) -> Option<Duration> {
        let congested = self.congested && self.is_congested();
        if !self.ready.is_empty() && !congested {
            return Some(Duration::ZERO);
        }
        // Word of room may have been missed.
        if congested || !self.paused.is_empty() || self.draining.is_some() {
            return Some(SHORTLY);
        }
        if self.delivery.clients.is_empty() {
            return None;
        }
        Some(self.next_tick.saturating_duration_since(self.delivery.now))
    }

    fn handle(&mut self, event: &Event) {
        let slot = event.token().0;
        if event.is_writable() {
            self.delivery.unblock(slot);
        }
        if (event.is_readable() || event.is_read_closed() || event.is_error())
            && let Some(client) = self.delivery.clients.get_mut(slot)
        {
            client.ending |= event.is_read_closed();
            let id = client.id;
            let producer = self.producer(slot, id);
            self.receive(producer);
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "slots are few")]
    #[allow(clippy::unused_self)]
    pub(super) fn producer(&self, slot: usize, id: u64) -> Producer {
        Producer {
            slot: slot as u32,
            client: short(id),
        }
    }

    fn client(&mut self, producer: Producer) -> Option<&mut Connection> {
        let client = self.delivery.clients.get_mut(producer.slot as usize)?;
        (client.short_id() == producer.client).then_some(client)
    }

    /// Reads once from a connection, and carries out what came.
    fn receive(&mut self, producer: Producer) {
        if self.is_congested() {
            self.congested = true;
            self.ready.push_back(producer);
            return;
        }
        let Some(client) = self.client(producer) else {
            return;
        };
        if client.paused_until.is_some() {
            // It is read from when the pause is over.
            return;
        }
        let read = if client.needed > CHUNK {
            self.read_large(producer)
        } else {
            self.read_chunk(producer)
        };
        let slot = producer.slot as usize;
        match read {
            Ok(more) => {
                let now = self.delivery.now;
                if let Some(client) = self.client(producer) {
                    client.last_read = now;
                    let more = more || client.ending;
                    if !client.transport.short_read_means_empty() {
                        // What was waiting for the handshake can go now.
                        self.delivery.tell(slot, b"");
                    }
                    if more {
                        self.ready.push_back(producer);
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => self.ready.push_back(producer),
            Err(error) if error.kind() == ErrorKind::Unsupported => self.refuse_clear(slot),
            Err(error) => {
                tracing::debug!("reading from a client: {error}");
                self.delivery.close(slot, Reason::Gone);
            }
        }
        self.slow_down();
        if self.delivery.unsent > UNSENT {
            self.delivery.flush_all();
        }
    }

    /// A client that talks in clear to a server with TLS is told so in clear.
    fn refuse_clear(&mut self, slot: usize) {
        #[cfg(feature = "tls")]
        if let Some(client) = self.delivery.clients.get_mut(slot) {
            client.transport.session = None;
        }
        let error = Reason::Error(ProtocolError::TlsRequired);
        self.delivery.close(slot, error);
    }

    /// Whether another worker has more to do than it may. It will say when it has
    /// not any more.
    fn is_congested(&self) -> bool {
        let is_full = |mailbox: &Mailbox| mailbox.bytes() > self.most_mail;
        self.others().any(|mailbox| {
            is_full(mailbox) && {
                mailbox.await_room();
                // It may have caught up in between, and told nobody.
                is_full(mailbox)
            }
        })
    }

    /// The mailboxes of the other workers.
    fn others(&self) -> impl Iterator<Item = &Mailbox> {
        let own = self.delivery.index;
        let peers = self.shared.workers.iter().enumerate();
        peers.filter_map(move |(index, peer)| (index != own).then_some(&peer.mailbox))
    }

    /// Tells those who wait for it when there is less mail to read.
    fn tell_of_room(&self) {
        let mailbox = &self.shared.workers[self.delivery.index].mailbox;
        if mailbox.bytes() <= self.most_mail / 2 && mailbox.was_awaited() {
            self.others().for_each(Mailbox::rouse);
        }
    }

    /// Reads into a chunk, behind the start of a frame that came before. Tells
    /// whether there may be more to read.
    fn read_chunk(&mut self, producer: Producer) -> io::Result<bool> {
        let mut chunk = self.chunks.take();
        let slot = producer.slot as usize;
        let client = &mut self.delivery.clients[slot];
        let kept = client.partial.len();
        chunk[..kept].copy_from_slice(&client.partial);
        let read = match client.transport.read(&mut chunk[kept..]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            other => other,
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                self.chunks.put_back(chunk);
                return Err(error);
            }
        };
        let more = kept + read == CHUNK || !client.transport.short_read_means_empty();
        client.partial = Vec::new();
        client.needed = 0;
        let length = kept + read;
        self.read_mail();
        if self.client(producer).is_none() {
            self.chunks.put_back(chunk);
            return Ok(false);
        }
        let data = self.chunks.freeze(chunk, length);
        let used = self.carry_out(slot, &data, length);
        if used < length
            && let Some(client) = self.client(producer)
        {
            client.partial = data[used..length].to_vec();
        }
        self.chunks.give_back(data);
        Ok(more)
    }

    /// Reads the rest of a frame that is larger than a chunk. Tells whether there
    /// may be more to read.
    fn read_large(&mut self, producer: Producer) -> io::Result<bool> {
        let slot = producer.slot as usize;
        let client = &mut self.delivery.clients[slot];
        let before = client.partial.len();
        // It grows with what really comes: an announcement alone costs nothing.
        let room = client.needed.min(before + before.max(CHUNK));
        client.partial.resize(room, 0);
        let read = client.transport.read(&mut client.partial[before..]);
        client
            .partial
            .truncate(before + read.as_ref().map_or(0, |&read| read));
        if read? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let more = client.partial.len() == room || !client.transport.short_read_means_empty();
        if client.partial.len() == client.needed {
            client.needed = 0;
            let data = Bytes::from(std::mem::take(&mut client.partial));
            self.read_mail();
            if self.client(producer).is_some() {
                self.carry_out(slot, &data, data.len());
            }
        }
        Ok(more)
    }

    /// Has publishers wait that are faster than their subscribers.
    fn slow_down(&mut self) {
        while let Some((worker, producer, pause)) = self.delivery.too_fast.pop() {
            if worker == self.delivery.index {
                self.pause(producer, pause);
            } else {
                self.shared.workers[worker]
                    .mailbox
                    .send(Mail::Slower(producer, pause));
            }
        }
    }

    fn pause(&mut self, producer: Producer, pause: Duration) {
        let until = self.delivery.now + pause;
        if let Some(client) = self.client(producer)
            && client.paused_until.replace(until).is_none()
        {
            self.delivery.counters.stalls += 1;
            self.paused.push(producer);
        }
    }

    fn end_pauses(&mut self) {
        let now = self.delivery.now;
        let mut paused = std::mem::take(&mut self.paused);
        paused.retain(|&producer| {
            let Some(client) = self.client(producer) else {
                return false;
            };
            if client.paused_until.is_some_and(|until| now < until) {
                return true;
            }
            client.paused_until = None;
            self.ready.push_back(producer);
            false
        });
        self.paused = paused;
    }

    /// Takes what others have sent.
    ///
    /// It is done after each read and before what was read is carried out: a
    /// client may end a subscription because of something that another worker
    /// did before, and what that worker has sent until then is still for it.
    fn read_mail(&mut self) {
        while let Some(mail) = self.shared.workers[self.delivery.index].mailbox.take() {
            self.tell_of_room();
            match mail {
                Mail::Messages(batch, worker) => {
                    self.delivery.deliver_all(&batch, worker);
                    self.shared.workers[worker].give_back(batch);
                    if self.delivery.unsent > UNSENT {
                        self.delivery.flush_all();
                    }
                    self.slow_down();
                }
                Mail::Connection(socket, address, id) => {
                    if let Err(error) = self.welcome(socket, address, id) {
                        tracing::debug!("a client at {address} is gone: {error}");
                    }
                }
                Mail::Slower(producer, pause) => self.pause(producer, pause),
                Mail::Drain => self.to_drain = true,
            }
        }
    }

    /// Takes over a connection and says INFO.
    fn welcome(&mut self, socket: TcpStream, address: SocketAddr, id: u64) -> io::Result<()> {
        let now = self.delivery.now;
        if self.delivery.clients.is_empty() {
            self.next_tick = now + self.tick;
        }
        self.delivery.counters.total_connections += 1;
        let config = &self.shared.config;
        let mut client = Connection::new(Transport::new(socket), address, id, now);
        client.next_ping = now + config.ping_interval;
        if config.credentials.are_wanted() || config.tls.is_some() {
            client.deadline = Some(now + config.auth_timeout);
        }
        let mut info = self.shared.info.clone();
        info.client_id = id;
        info.client_ip = address.ip().to_string();
        let slot = self.delivery.clients.insert(client);
        self.delivery.tell(slot, &info.line());
        // INFO goes out in clear, before TLS takes over.
        self.delivery.flush_all();
        let Some(client) = self.delivery.clients.get_mut(slot) else {
            return Ok(());
        };
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.shared.tls {
            let session = super::tls::Session::new(tls).map_err(io::Error::other)?;
            client.transport.session = Some(Box::new(session));
        }
        // Both from the start: with edge-triggered events the second costs
        // nothing until a write is refused, and changing it would cost a call.
        let registered = self.registry.register(
            &mut client.transport.socket,
            Token(slot),
            Interest::READABLE | Interest::WRITABLE,
        );
        if registered.is_err() {
            self.delivery.close(slot, Reason::Gone);
        }
        registered
    }

    /// Looks after what depends on time.
    fn tick(&mut self) {
        let now = self.delivery.now;
        self.next_tick = now + self.tick;
        let mut pings = Vec::new();
        let mut ends = Vec::new();
        for (slot, client) in &mut self.delivery.clients {
            match client.due(now, &self.due) {
                Ok(false) => {}
                Ok(true) => pings.push(slot),
                Err(error) => ends.push((slot, error)),
            }
        }
        for slot in pings {
            self.delivery.tell(slot, b"PING\r\n");
        }
        for (slot, error) in ends {
            self.delivery.close(slot, Reason::Error(error));
        }
    }

    /// Carries out what clients have sent so far, and tells them that the server
    /// is about to end.
    fn drain(&mut self) {
        const MOST_READS: usize = 64;
        if self.draining.is_some() {
            return;
        }
        self.draining = Some(self.delivery.now + self.shared.config.drain_timeout);
        let mut info = self.shared.info.clone();
        info.ldm = true;
        let slots: Vec<_> = self.delivery.clients.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            for _ in 0..MOST_READS {
                let Some(client) = self.delivery.clients.get(slot) else {
                    break;
                };
                let producer = self.producer(slot, client.id);
                let before = self.ready.len();
                self.receive(producer);
                if self.ready.len() == before || self.congested {
                    break;
                }
                self.ready.pop_back();
            }
            if let Some(client) = self.delivery.clients.get(slot)
                && client.options.info
            {
                info.client_id = client.id;
                info.client_ip = client.address.ip().to_string();
                self.delivery.tell(slot, &info.line());
            }
        }
        self.ready.clear();
        self.delivery.flush_all();
        self.shared.quiet.fetch_add(1, Ordering::SeqCst);
        for peer in &self.shared.workers {
            peer.mailbox.wake();
        }
    }

    /// Ends the connections to which all has been written, once no other worker
    /// has anything for them. Tells how it went when none is left, or no time.
    fn leave(&mut self, deadline: Instant) -> Option<bool> {
        if self.shared.quiet.load(Ordering::SeqCst) == self.shared.workers.len() {
            // What was sent before the last of them became quiet is here now.
            self.read_mail();
            self.delivery.flush_all();
            let done: Vec<_> = self
                .delivery
                .clients
                .iter()
                .filter(|(_, client)| client.is_flushed())
                .map(|(slot, _)| slot)
                .collect();
            for slot in done {
                self.delivery.close(slot, Reason::Shutdown);
            }
            if self.delivery.clients.is_empty() {
                return Some(true);
            }
        }
        (self.delivery.now >= deadline).then_some(false)
    }
}

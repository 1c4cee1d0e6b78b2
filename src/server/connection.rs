//! What a worker knows of one client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use slab::Slab;

use super::output::Output;
use super::transport::Transport;
use crate::protocol::{Connect, ProtocolError};

/// How long after CONNECT the first PING goes out at the latest, as nats-server
/// has it.
const FIRST_PING: Duration = Duration::from_secs(2);

/// What a client asked for in CONNECT.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol has them so")]
pub(crate) struct Options {
    pub(crate) verbose: bool,
    pub(crate) pedantic: bool,
    pub(crate) echo: bool,
    pub(crate) headers: bool,
    pub(crate) no_responders: bool,
    /// It understands INFO at any time.
    pub(crate) info: bool,
}

impl From<&Connect> for Options {
    fn from(connect: &Connect) -> Self {
        Self {
            verbose: connect.verbose,
            pedantic: connect.pedantic,
            echo: connect.echo,
            headers: connect.headers,
            no_responders: connect.no_responders,
            info: connect.protocol >= 1,
        }
    }
}

/// A subscription of a client.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) sid: Box<[u8]>,
    pub(crate) subject: Box<[u8]>,
    pub(crate) queue: Option<Box<[u8]>>,
    /// Tells it from others that had its place before.
    pub(crate) serial: u32,
    pub(crate) delivered: u64,
    /// After how many messages it ends.
    pub(crate) max: Option<u64>,
}

/// A client.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they change independently of each other"
)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) output: Output,
    /// The start of a frame whose end has not come yet.
    pub(crate) partial: Vec<u8>,
    /// The length of that frame in bytes, once it is known.
    pub(crate) needed: usize,
    pub(crate) options: Options,
    /// CONNECT has come, with the right credentials.
    pub(crate) welcome: bool,
    pub(crate) subscriptions: Slab<Subscription>,
    pub(crate) by_sid: HashMap<Box<[u8]>, u32>,
    pub(crate) serial: u32,
    /// It is in the worker's list of those with something to write.
    pub(crate) dirty: bool,
    /// The client will send nothing more; the end is yet to be read, and no event
    /// will tell of it again.
    pub(crate) ending: bool,
    /// The system takes no more; it will tell when it does.
    pub(crate) blocked: bool,
    /// When the system last took something, if something waits for it.
    pub(crate) waits_since: Option<Instant>,
    /// Nothing is read before this time.
    pub(crate) paused_until: Option<Instant>,
    /// When CONNECT, or the TLS handshake, has to be done.
    pub(crate) deadline: Option<Instant>,
    pub(crate) last_read: Instant,
    pub(crate) next_ping: Instant,
    pub(crate) pings_out: u32,
    /// It was asked once already, so that the time for an answer is known.
    pub(crate) asked: bool,
}

impl Connection {
    pub(crate) fn new(transport: Transport, address: SocketAddr, id: u64, now: Instant) -> Self {
        Self {
            id,
            address,
            transport,
            output: Output::default(),
            partial: Vec::new(),
            needed: 0,
            options: Options::from(&Connect::default()),
            welcome: false,
            subscriptions: Slab::new(),
            by_sid: HashMap::new(),
            serial: 0,
            dirty: false,
            ending: false,
            blocked: false,
            waits_since: None,
            paused_until: None,
            deadline: None,
            last_read: now,
            next_ping: now,
            pings_out: 0,
            asked: false,
        }
    }

    /// The half of the number that targets carry.
    pub(crate) fn short_id(&self) -> u32 {
        short(self.id)
    }

    /// Whether the system has taken all that was to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.output.pending() == 0 && self.transport.is_flushed()
    }

    /// CONNECT has been accepted.
    pub(crate) fn welcome(&mut self, connect: &Connect, now: Instant, ping_interval: Duration) {
        self.options = Options::from(connect);
        self.welcome = true;
        self.deadline = None;
        self.next_ping = now + ping_interval.min(FIRST_PING);
    }

    /// What is due at `now`: an error that ends the connection, or a PING.
    pub(crate) fn due(&mut self, now: Instant, due: &Due) -> Result<bool, ProtocolError> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(ProtocolError::AuthenticationTimeout);
        }
        let waits = |since: Instant| now.duration_since(since) > due.write_deadline;
        if self.waits_since.is_some_and(waits) {
            return Err(ProtocolError::SlowConsumer);
        }
        if now < self.next_ping {
            return Ok(false);
        }
        self.next_ping = now + due.ping_interval;
        let quiet = now.duration_since(self.last_read) >= due.ping_interval;
        if !quiet && (self.asked || !self.welcome) {
            return Ok(false);
        }
        if self.pings_out >= due.max_pings_out {
            return Err(ProtocolError::Stale);
        }
        self.pings_out += 1;
        self.asked = true;
        Ok(true)
    }
}

/// What [`Connection::due`] goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) ping_interval: Duration,
    pub(crate) max_pings_out: u32,
    pub(crate) write_deadline: Duration,
}

/// The lower half of a connection's number.
#[allow(clippy::cast_possible_truncation, reason = "that is the meaning")]
pub(crate) fn short(id: u64) -> u32 {
    id as u32
}

//! What a worker knows of one client.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::input::Input;
use super::key::ConnectionKey;
use super::leaf::link::{Link, PING_INTERVAL};
use super::output::{Blocks, Output, Written};
use super::stall::{Backlog, Bounds};
use super::subscriptions::Subscriptions;
use super::transport::Transport;
use super::waiting::Waiting;
use broker_protocol::{Connect, ProtocolError};

/// How long after CONNECT the first PING goes out at the latest, as nats-server
/// has it.
const FIRST_PING: Duration = Duration::from_secs(2);

/// Memory that a connection takes in any case, in bytes, about.
const PER_CONNECTION: usize = 1024;

/// The same for the session of TLS, whose buffers grow to this.
const PER_SESSION: usize = 64 * 1024;

/// Bytes written to one connection before it is the turn of others.
const WRITTEN_AT_A_TIME: usize = 512 * 1024;

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

impl Options {
    /// The CONNECT that a further one changes.
    pub(crate) fn connect(self) -> Connect {
        Connect {
            verbose: self.verbose,
            pedantic: self.pedantic,
            echo: self.echo,
            headers: self.headers,
            no_responders: self.no_responders,
            protocol: i64::from(self.info),
            ..Connect::default()
        }
    }
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The TLS handshake has to be done by then.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "there is no TLS"))]
    Handshake(Instant),
    /// The right credentials have to come by then.
    Stranger(Instant),
    /// No credentials are needed, and CONNECT has not come.
    Guest,
    /// CONNECT has come, with the right credentials if there have to be any.
    Welcome,
    /// It sends nothing more, and ends when all is written that waits for it.
    Leaving,
}

/// Whether a client is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// When the system tells that there is something.
    Idle,
    /// It waits for its turn.
    Queued,
    /// It publishes faster than somebody can take: not before this time.
    Stalled(Instant),
    /// Not before it is known whether its password is right.
    Verifying,
}

/// Whether something is written to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// It is in no list.
    Idle,
    /// It is in one of the worker's lists of those with something to write.
    Listed,
    /// The system takes no more; it will tell when it does.
    Blocked,
}

/// What is due for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    End(ProtocolError),
}

/// What [`Connection::due`] goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals {
    pub(crate) ping_interval: Duration,
    pub(crate) max_pings_out: u32,
    pub(crate) write_deadline: Duration,
}

/// A client.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) key: ConnectionKey,
    pub(crate) id: u64,
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) options: Options,
    pub(crate) phase: Phase,
    pub(crate) reading: Reading,
    pub(crate) writing: Writing,
    pub(crate) subscriptions: Subscriptions,
    /// It is that of a hub, and no client.
    pub(crate) link: Option<Box<Link>>,
    /// The work done for it, see [`super::turns`].
    pub(crate) served: u64,
    /// The client will send nothing more; the end is yet to be read, and no event
    /// will tell of it again.
    pub(crate) ending: bool,
    waiting: Waiting,
    /// When the system last took something, if something waits for it.
    waits_since: Option<Instant>,
    last_active: Instant,
    next_ping: Instant,
    pings_out: u32,
    /// It was asked once already, so that the time for an answer is known.
    asked: bool,
}

impl Connection {
    pub(crate) fn new(
        transport: Transport,
        address: SocketAddr,
        key: ConnectionKey,
        id: u64,
        now: Instant,
        ping_interval: Duration,
    ) -> Self {
        Self {
            key,
            id,
            address,
            transport,
            input: Input::default(),
            output: Output::default(),
            options: Options::from(&Connect::default()),
            phase: Phase::Guest,
            reading: Reading::Idle,
            writing: Writing::Idle,
            subscriptions: Subscriptions::default(),
            link: None,
            served: 0,
            ending: false,
            waiting: Waiting::default(),
            waits_since: None,
            last_active: now,
            next_ping: now + ping_interval,
            pings_out: 0,
            asked: false,
        }
    }

    /// That of a hub.
    pub(crate) fn of_hub(mut self, link: Box<Link>) -> Self {
        self.subscriptions = Subscriptions::of_hub();
        self.next_ping += PING_INTERVAL;
        self.link = Some(link);
        self
    }

    /// Memory that belongs to it alone, in bytes, about.
    pub(crate) fn held(&self) -> usize {
        let session = if self.transport.is_encrypted() {
            PER_SESSION
        } else {
            0
        };
        PER_CONNECTION
            + session
            + self.input.held()
            + self.output.held()
            + self.subscriptions.held()
    }

    /// What it is answerable for, in bytes: with what it shares with others.
    pub(crate) fn usage(&self) -> usize {
        self.held() + self.output.pending() + self.input.waiting()
    }

    /// Whether the system has taken all that was to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.output.pending() == 0 && self.transport.is_flushed()
    }

    /// The client published or changed what it subscribes to at `now`. Nothing else is
    /// activity, as with nats-server: not even the answer to a PING.
    #[inline]
    pub(crate) fn was_active(&mut self, now: Instant) {
        self.last_active = now;
    }

    /// Whether there are frames of it that can be carried out now.
    pub(crate) fn can_go_on(&mut self) -> bool {
        self.input.has_rest() && self.reading != Reading::Verifying
    }

    /// The client has answered.
    pub(crate) fn pong(&mut self) {
        self.pings_out = 0;
    }

    /// CONNECT has been accepted.
    pub(crate) fn welcome(&mut self, connect: &Connect, now: Instant, ping_interval: Duration) {
        self.options = Options::from(connect);
        self.phase = Phase::Welcome;
        self.next_ping = now + ping_interval.min(FIRST_PING);
    }

    /// Writes what the system takes, and no more than is written at a time.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        write_deadline: Duration,
        blocks: &mut Blocks,
    ) -> std::io::Result<Written> {
        let before = self.output.pending();
        self.transport.flush()?;
        let mut result = self
            .output
            .write(&mut self.transport, WRITTEN_AT_A_TIME, blocks)?;
        if result == Written::All && !self.transport.is_flushed() {
            result = Written::Full;
        }
        let (queued, written) = self.output.positions();
        if result == Written::All {
            if self.waits_since.take().is_some() {
                self.waiting.note(queued, queued, now, write_deadline);
            }
            return Ok(result);
        }
        if self.output.pending() < before || self.waits_since.is_none() {
            self.waits_since = Some(now);
        }
        // What only TLS has to write waits too.
        let written = written.min(queued.saturating_sub(1));
        self.waiting.note(written, queued, now, write_deadline);
        Ok(result)
    }

    /// What waits for it.
    pub(crate) fn backlog(&self, now: Instant) -> Backlog {
        let idle = |since| now.saturating_duration_since(since);
        Backlog {
            pending: self.output.pending(),
            oldest: self.waiting.oldest(now),
            idle: self.waits_since.map_or(Duration::ZERO, idle),
        }
    }

    /// Whether so much waits for it that its publishers may be stalled.
    #[inline]
    pub(crate) fn is_crowded(&self, bounds: &Bounds) -> bool {
        self.output.pending() > bounds.high_water
    }

    /// What is due at `now`.
    pub(crate) fn due(&mut self, now: Instant, intervals: &Intervals) -> Due {
        if let Phase::Handshake(deadline) | Phase::Stranger(deadline) = self.phase
            && now >= deadline
            && self.reading != Reading::Verifying
        {
            return Due::End(ProtocolError::AuthenticationTimeout);
        }
        let mut ping_interval = intervals.ping_interval;
        if let Some(link) = &mut self.link {
            if link.is_overdue(now) {
                return Due::End(ProtocolError::Stale);
            }
            ping_interval = ping_interval.min(PING_INTERVAL);
        }
        if self.waiting.oldest(now) > intervals.write_deadline {
            return Due::End(ProtocolError::SlowConsumer);
        }
        if now < self.next_ping {
            return Due::Nothing;
        }
        self.next_ping = now + ping_interval;
        let quiet = now.duration_since(self.last_active) >= ping_interval;
        if !quiet && (self.asked || self.phase != Phase::Welcome) {
            return Due::Nothing;
        }
        if self.pings_out >= intervals.max_pings_out {
            return Due::End(ProtocolError::Stale);
        }
        self.pings_out += 1;
        self.asked = true;
        Due::Ping
    }
}

//! The state of one client connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::about::About;
use super::access::Grant;
use super::input::Input;
use super::key::ConnectionKey;
use super::leaf::link::{Link, PING_INTERVAL};
use super::output::{Blocks, Output, Written};
use super::reason::Reason;
use super::rights::{Memory, Rights};
use super::stall::{Backlog, Bounds};
use super::subscriptions::Subscriptions;
use super::tally::Tally;
use super::transport::Transport;
use super::waiting::Waiting;
use broker_protocol::{Connect, ProtocolError};

/// Latest time of the first PING after CONNECT, as in nats-server.
const FIRST_PING: Duration = Duration::from_secs(2);

/// Approximate fixed size of a connection, in bytes.
const PER_CONNECTION: usize = 1024;

/// Bytes written to one connection before others get their turn.
const WRITTEN_AT_A_TIME: usize = 512 * 1024;

/// The options of a client's CONNECT.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the protocol")]
pub(crate) struct Options {
    pub(crate) verbose: bool,
    pub(crate) pedantic: bool,
    pub(crate) echo: bool,
    pub(crate) headers: bool,
    pub(crate) no_responders: bool,
    /// The client accepts INFO at any time.
    pub(crate) info: bool,
    /// The user may not publish to some subjects.
    pub(crate) restricted: bool,
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
            restricted: false,
        }
    }
}

impl Options {
    /// Returns the CONNECT that a further one changes.
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

/// The phase of a client connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The TLS or WebSocket handshake must end before this time.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "used only with TLS"))]
    Handshake(Instant),
    /// The right credentials must arrive before this time.
    Stranger(Instant),
    /// No credentials are needed, and CONNECT has not arrived.
    Guest,
    /// CONNECT has arrived, with the right credentials if they are required.
    Welcome,
    /// The client sends nothing more, and the connection ends for this reason when its pending
    /// output is written.
    Leaving(Reason),
}

/// Whether the worker reads from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// When an event reports input.
    Idle,
    /// The client waits for its turn.
    Queued,
    /// The publisher is stalled until this time.
    Stalled(Instant),
    /// Not before its password has been checked.
    Verifying,
}

/// Whether the worker has to write to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// The connection is in no list.
    Idle,
    /// The connection is in one of the worker's lists of connections with output.
    Listed,
    /// The socket's buffer is full; an event reports when it has room.
    Blocked,
}

/// The action that is due for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    End(ProtocolError),
}

/// The times that determine [`Connection::due`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals {
    pub(crate) ping_interval: Duration,
    pub(crate) max_pings_out: u32,
    pub(crate) write_deadline: Duration,
}

/// The user of a client, and the state that its permissions need.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) grant: Arc<Grant>,
    pub(crate) memory: Memory,
}

impl Identity {
    /// Returns whether the client may get a message for one of its subscriptions. If so, it may
    /// reply to the message.
    #[cold]
    pub(crate) fn may_receive(&mut self, subject: &[u8], reply: &[u8], now: Instant) -> bool {
        let Some(rights) = &self.grant.rights else {
            return true;
        };
        let allowed = rights.may_receive(subject);
        if allowed {
            self.memory.note_request(rights, reply, now);
        }
        allowed
    }
}

/// A client connection.
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
    /// The user, after authentication.
    pub(crate) identity: Option<Box<Identity>>,
    /// The nonce that the client must sign.
    pub(crate) nonce: Option<Box<str>>,
    /// The leaf node connection; `None` for a client.
    pub(crate) link: Option<Box<Link>>,
    /// The connection's counters.
    pub(crate) tally: Tally,
    /// The client's description of itself, if it sent one.
    pub(crate) about: Option<Box<About>>,
    /// Number of subscriptions when they were all ended at once.
    pub(crate) ended_subscriptions: usize,
    pub(crate) start: Instant,
    /// The work done for the connection, see [`super::turns`].
    pub(crate) served: u64,
    /// The connection is in the order of turns, perhaps from before a stall.
    pub(crate) has_place: bool,
    /// The client has closed its side. The end of the input is still unread, and no further event
    /// will report it.
    pub(crate) ending: bool,
    waiting: Waiting,
    /// When the system last accepted output, if output is pending.
    waits_since: Option<Instant>,
    last_active: Instant,
    next_ping: Instant,
    pings_out: u32,
    /// A PING was sent before, so `rtt` is known.
    asked: bool,
    /// When the unanswered PING was sent.
    asked_at: Option<Instant>,
    /// The round-trip time of the last PING; before the first one, of INFO.
    pub(crate) rtt: Duration,
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
            identity: None,
            nonce: None,
            link: None,
            tally: Tally::new(now),
            about: None,
            ended_subscriptions: 0,
            start: now,
            served: 0,
            has_place: false,
            ending: false,
            waiting: Waiting::default(),
            waits_since: None,
            last_active: now,
            next_ping: now + ping_interval,
            pings_out: 0,
            asked: false,
            asked_at: None,
            rtt: Duration::ZERO,
        }
    }

    /// Marks the connection as that of a hub.
    pub(crate) fn of_hub(mut self, link: Box<Link>) -> Self {
        self.subscriptions = Subscriptions::of_hub();
        self.next_ping += PING_INTERVAL;
        self.link = Some(link);
        self
    }

    /// Returns the approximate memory that belongs to the connection alone, in bytes.
    pub(crate) fn held(&self) -> usize {
        PER_CONNECTION
            + self.transport.held()
            + self.about.as_ref().map_or(0, |about| about.held())
            + self.input.held()
            + self.output.held()
            + self.subscriptions.held()
            + self
                .identity
                .as_ref()
                .map_or(0, |identity| identity.memory.held())
    }

    /// Returns the memory charged to the connection, in bytes, including shared buffers.
    pub(crate) fn usage(&self) -> usize {
        self.held() + self.output.pending() + self.input.waiting()
    }

    /// Returns whether all output is written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.output.pending() == 0 && self.transport.is_flushed()
    }

    /// Records that the client published or changed its subscriptions at `now`. As in nats-server,
    /// nothing else counts as activity, not even PONG.
    #[inline]
    pub(crate) fn was_active(&mut self, now: Instant) {
        self.last_active = now;
    }

    /// Returns whether complete frames can be executed now.
    pub(crate) fn can_go_on(&mut self) -> bool {
        self.input.has_rest() && self.reading != Reading::Verifying
    }

    /// Records PONG.
    pub(crate) fn pong(&mut self) {
        self.pings_out = 0;
        if let Some(asked_at) = self.asked_at.take() {
            self.rtt = asked_at.elapsed();
        }
    }

    /// Sets the user after authentication.
    pub(crate) fn identify(&mut self, grant: Arc<Grant>) {
        self.options.restricted = grant.rights.is_some();
        let before = self.identity.take();
        let same = before.filter(|before| before.grant.user == grant.user);
        let memory = same.map_or_else(Memory::default, |same| same.memory.renewed());
        self.identity = Some(Box::new(Identity { grant, memory }));
    }

    /// Returns the user's permissions, if it has any.
    pub(crate) fn rights(&self) -> Option<&Rights> {
        self.identity.as_ref()?.grant.rights.as_ref()
    }

    /// Returns whether the client may publish to a subject.
    pub(crate) fn may_publish(&mut self, subject: &[u8], now: Instant) -> bool {
        self.identity.as_deref_mut().is_none_or(|identity| {
            let rights = identity.grant.rights.as_ref();
            rights.is_none_or(|rights| identity.memory.may_publish(rights, subject, now))
        })
    }

    /// Records the client's description of itself; its user only if CONNECT `is_accepted`.
    pub(crate) fn introduce(&mut self, connect: &Connect, is_accepted: bool) {
        self.about = About::after(self.about.take(), connect, is_accepted);
    }

    /// Applies an accepted CONNECT.
    pub(crate) fn welcome(&mut self, connect: &Connect, now: Instant, ping_interval: Duration) {
        let restricted = self.options.restricted;
        self.options = Options {
            restricted,
            ..Options::from(connect)
        };
        if self.phase != Phase::Welcome {
            self.rtt = now.saturating_duration_since(self.start);
        }
        self.introduce(connect, true);
        self.phase = Phase::Welcome;
        self.next_ping = now + ping_interval.min(FIRST_PING);
    }

    /// Writes as much as the socket accepts, up to the limit for one write.
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
        // Output that only TLS or WebSocket still holds counts as one pending byte.
        let written = written.min(queued.saturating_sub(1));
        self.waiting.note(written, queued, now, write_deadline);
        Ok(result)
    }

    /// Returns the state of the pending output.
    pub(crate) fn backlog(&self, now: Instant) -> Backlog {
        let idle = |since| now.saturating_duration_since(since);
        Backlog {
            pending: self.output.pending(),
            oldest: self.waiting.oldest(now),
            idle: self.waits_since.map_or(Duration::ZERO, idle),
        }
    }

    /// Returns the name of the authenticated user, or an empty string.
    pub(crate) fn user(&self) -> &str {
        let known = self.identity.as_ref();
        let known = known.and_then(|identity| identity.grant.user.as_deref());
        // Without authentication, the name in CONNECT is used.
        known.unwrap_or_else(|| self.about.as_ref().map_or("", |about| &about.user))
    }

    /// Returns the rejected credentials for the log, or an empty string.
    pub(crate) fn rejected(&self) -> &str {
        self.about.as_ref().map_or("", |about| &about.rejected)
    }

    /// Returns when the client last published, changed its subscriptions, or got a message.
    pub(crate) fn last_activity(&self) -> Instant {
        self.last_active.max(self.tally.last_out)
    }

    /// Returns whether the connection ends when its pending output is written.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.phase, Phase::Leaving(_))
    }

    /// Returns whether enough output is pending that publishers may be stalled.
    #[inline]
    pub(crate) fn is_crowded(&self, bounds: &Bounds) -> bool {
        self.output.pending() > bounds.high_water
    }

    /// Returns the action that is due at `now`.
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
        // A stalled client's PONG is not read.
        if now < self.next_ping || matches!(self.reading, Reading::Stalled(_)) {
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
        self.asked_at = Some(now);
        Due::Ping
    }
}

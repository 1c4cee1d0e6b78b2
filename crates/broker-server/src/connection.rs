//! What a worker knows of one client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::about::About;
use super::access::Grant;
use super::input::Input;
use super::key::ConnectionKey;
use super::leaf::link::{Link, PING_INTERVAL};
use super::output::{Blocks, Output, Written};
use super::rights::{Memory, Rights};
use super::stall::{Backlog, Bounds};
use super::subscriptions::Subscriptions;
use super::tally::Tally;
use super::transport::Transport;
use super::waiting::Waiting;
use broker_protocol::{Connect, ProtocolError};

/// How long after CONNECT the first PING goes out at the latest, as nats-server
/// has it.
const FIRST_PING: Duration = Duration::from_secs(2);

/// Memory that a connection takes in any case, in bytes, about.
const PER_CONNECTION: usize = 1024;

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
    /// There are subjects that it may not publish to.
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
    /// The handshake of TLS or WebSocket has to be done by then.
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

/// Who a client is, with what it is remembered for.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) grant: Arc<Grant>,
    pub(crate) memory: Memory,
}

impl Identity {
    /// Whether it may get a message that one of its subscriptions wants. It may answer that
    /// then.
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
    /// Who it is, once that is known.
    pub(crate) identity: Option<Box<Identity>>,
    /// What it was given to sign.
    pub(crate) nonce: Option<Box<str>>,
    /// It is that of a hub, and no client.
    pub(crate) link: Option<Box<Link>>,
    /// What it counts.
    pub(crate) tally: Tally,
    /// What the client told of itself, if it did.
    pub(crate) about: Option<Box<About>>,
    /// Subscriptions that it had when they were ended all at once.
    pub(crate) ended_subscriptions: usize,
    pub(crate) start: Instant,
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
    /// When it was asked last, if it has not answered.
    asked_at: Option<Instant>,
    /// How long its last answer took; that to INFO, before it was asked.
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

    /// That of a hub.
    pub(crate) fn of_hub(mut self, link: Box<Link>) -> Self {
        self.subscriptions = Subscriptions::of_hub();
        self.next_ping += PING_INTERVAL;
        self.link = Some(link);
        self
    }

    /// Memory that belongs to it alone, in bytes, about.
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
        if let Some(asked_at) = self.asked_at.take() {
            self.rtt = asked_at.elapsed();
        }
    }

    /// It is somebody, and may do what that one may.
    pub(crate) fn identify(&mut self, grant: Arc<Grant>) {
        self.options.restricted = grant.rights.is_some();
        let before = self.identity.take();
        let same = before.filter(|before| before.grant.user == grant.user);
        let memory = same.map_or_else(Memory::default, |same| same.memory.renewed());
        self.identity = Some(Box::new(Identity { grant, memory }));
    }

    /// What it may not do, if there is anything.
    pub(crate) fn rights(&self) -> Option<&Rights> {
        self.identity.as_ref()?.grant.rights.as_ref()
    }

    /// Whether it may publish to a subject.
    pub(crate) fn may_publish(&mut self, subject: &[u8], now: Instant) -> bool {
        self.identity.as_deref_mut().is_none_or(|identity| {
            let rights = identity.grant.rights.as_ref();
            rights.is_none_or(|rights| identity.memory.may_publish(rights, subject, now))
        })
    }

    /// Keeps what the client tells of itself; its user only if that `is_accepted`.
    pub(crate) fn introduce(&mut self, connect: &Connect, is_accepted: bool) {
        self.about = About::after(self.about.take(), connect, is_accepted);
    }

    /// CONNECT has been accepted.
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
        // What only TLS or WebSocket has to write waits too.
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

    /// The name of the user that was let in, if there is one.
    pub(crate) fn user(&self) -> &str {
        let known = self.identity.as_ref();
        let known = known.and_then(|identity| identity.grant.user.as_deref());
        // Where everybody is let in, it is who the client says that it is.
        known.unwrap_or_else(|| self.about.as_ref().map_or("", |about| &about.user))
    }

    /// When the client last published, changed what it subscribes to, or got a message.
    pub(crate) fn last_activity(&self) -> Instant {
        self.last_active.max(self.tally.last_out)
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
        self.asked_at = Some(now);
        Due::Ping
    }
}

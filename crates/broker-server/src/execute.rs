//! Executes the commands of clients.

mod hub;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use hub::encrypt;

use super::access::Grant;
use super::cache::Cache;
use super::connection::{Connection, Options, Phase, Reading};
use super::dispatch::Dispatch;
use super::key::{ConnectionKey, Target};
use super::local::{Local, Origin};
use super::settings::Settings;
use super::shared::Shared;
use super::subscriptions::Subscription;
use super::trace;
use broker_protocol::{
    Connect, Frame, Limits, Parsed, ProtocolError, Publish, SYSTEM_QUEUE, Violation, is_literal,
    is_reserved, is_reserved_reply, is_valid, parse, tokens,
};

/// Minimum work of a frame, see [`super::turns`].
const PER_FRAME: u64 = 2;

/// Work per subscription that a message goes to.
const PER_TARGET: u64 = 3;

/// Work of looking up a subject that is not cached, and of each pattern that the look-up tries.
const PER_LOOK_UP: u64 = 24;
const PER_PATTERN: u64 = 1;

/// Work of adding or removing a subscription.
const PER_SUBSCRIPTION: u64 = 64;

/// In tests, a message to this subject makes the worker panic.
const PANIC: &[u8] = b"$TEST.PANIC";

/// The result of executing a client's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    /// All frames were executed, except perhaps an incomplete last one. `needed` is its length if
    /// that is known, else 0.
    All { needed: usize },
    /// The work limit of this turn was reached.
    Interrupted,
    /// The client's password must be checked first.
    Verifying,
    /// The connection must be closed.
    Failed(ProtocolError),
}

/// Executes frames.
#[derive(Debug)]
pub(crate) struct Executor {
    shared: Arc<Shared>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) cache: Cache,
    pub(crate) dispatch: Dispatch,
}

impl Executor {
    pub(crate) fn new(index: usize, shared: Arc<Shared>) -> Self {
        Self {
            cache: Cache::new(),
            dispatch: Dispatch::new(index, Arc::clone(&shared)),
            settings: shared.settings(),
            shared,
        }
    }

    /// Executes the frames at the start of `data`, in order, while the work is less than `most`.
    /// Returns the number of bytes used, the work done, and the result.
    pub(crate) fn carry_out(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        most: u64,
    ) -> (usize, u64, Carried) {
        if local.get(key).is_some_and(|client| client.link.is_some()) {
            return self.carry_out_of_hub(local, key, data, most);
        }
        let limits = self.settings.limits;
        let mut at = 0;
        let mut work = 0;
        while at < data.len() {
            if work >= most {
                return (at, work, Carried::Interrupted);
            }
            match self.next(local, key, data, at, &limits, &mut work) {
                Ok(Step::Done(used)) => at += used,
                Ok(Step::Verifying(used)) => return (at + used, work, Carried::Verifying),
                Ok(Step::Incomplete(needed)) => return (at, work, Carried::All { needed }),
                // The connection is closed; the rest of its input is discarded.
                Ok(Step::Closed) => return (data.len(), work, Carried::All { needed: 0 }),
                Err(error) => return (at, work, Carried::Failed(error)),
            }
        }
        (at, work, Carried::All { needed: 0 })
    }

    /// Executes the frame that starts at `at`.
    #[inline]
    fn next(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        at: usize,
        limits: &Limits,
        work: &mut u64,
    ) -> Result<Step, ProtocolError> {
        *work += PER_FRAME;
        let (now, traces) = (local.now, local.traces);
        let Some(client) = local.get(key) else {
            return Ok(Step::Closed);
        };
        let input = &data[at..];
        let is_stranger = matches!(client.phase, Phase::Stranger(_) | Phase::Handshake(_));
        if is_stranger && !input[0].eq_ignore_ascii_case(&b'c') {
            return Err(ProtocolError::Authorization);
        }
        let (frame, used) = match parse(input, limits)? {
            Parsed::Frame(frame, used) => (frame, used),
            Parsed::Incomplete(needed) => return Ok(Step::Incomplete(needed)),
        };
        if traces {
            trace::received(client, input);
        }
        match frame {
            Frame::Publish(publish) => {
                client.was_active(now);
                let options = client.options;
                self.publish(local, key, options, data, at, &publish, work)?;
                return Ok(Step::Done(used));
            }
            Frame::Subscribe {
                subject,
                queue,
                sid,
            } => {
                *work += PER_SUBSCRIPTION;
                client.was_active(now);
                self.subscribe(local, key, subject, queue, sid);
            }
            Frame::Unsubscribe { sid, max } => {
                *work += PER_SUBSCRIPTION;
                client.was_active(now);
                unsubscribe(local, key, sid, max);
            }
            Frame::Ping => local.tell(key, b"PONG\r\n"),
            Frame::Pong => client.pong(),
            Frame::Connect(json) => {
                if self.connect(local, key, json)? {
                    return Ok(Step::Verifying(used));
                }
            }
            Frame::Ignored => {}
        }
        self.bound_replies(local, key);
        Ok(Step::Done(used))
    }

    /// The server's replies count against the limit on pending output like messages.
    fn bound_replies(&mut self, local: &mut Local, key: ConnectionKey) {
        let bounds = local.bounds;
        if let Some(client) = local.get(key)
            && client.is_crowded(&bounds)
        {
            let needed = client.output.pending() > bounds.max_pending;
            self.dispatch.relieve(local, key, needed);
        }
    }

    /// Executes CONNECT. Returns whether it must wait for a password check.
    fn connect(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        json: &[u8],
    ) -> Result<bool, ProtocolError> {
        let Some(client) = local.get(key) else {
            return Ok(false);
        };
        // Options that a further CONNECT omits stay unchanged.
        let mut connect = client.options.connect();
        connect.update(json)?;
        let is_known = client.phase == Phase::Welcome && !connect.gives_credentials();
        if is_known {
            self.welcome(local, key, connect)?;
            return Ok(false);
        }
        if self.settings.access.is_slow(&connect)
            && self
                .shared
                .verify
                .send((key, Box::new(connect.clone())))
                .is_ok()
        {
            client.reading = Reading::Verifying;
            return Ok(true);
        }
        let grant = self
            .settings
            .access
            .admit(&connect, client.nonce.as_deref());
        self.verified(local, key, connect, grant)?;
        Ok(false)
    }

    /// Completes a CONNECT after its password was checked.
    pub(crate) fn verified(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        connect: Connect,
        grant: Option<Arc<Grant>>,
    ) -> Result<(), ProtocolError> {
        // The grant may be from before a reload.
        let grant = grant.and_then(|grant| self.settings.access.renew(&grant));
        let Some(grant) = grant else {
            local.change(key, |client| client.introduce(&connect, false));
            return Err(ProtocolError::Authorization);
        };
        identify(local, key, grant);
        self.welcome(local, key, connect)
    }

    fn welcome(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        mut connect: Connect,
    ) -> Result<(), ProtocolError> {
        connect.headers &= self.settings.info.headers;
        let ping_interval = self.settings.intervals.ping_interval;
        let now = local.now;
        local.change(key, |client| {
            client.welcome(&connect, now, ping_interval);
        });
        let Some(client) = local.get(key) else {
            return Ok(());
        };
        connect.check()?;
        tracing::debug!(
            "client {} at {}: {:?} {:?} {:?}",
            client.id,
            client.address,
            connect.lang.unwrap_or_default(),
            connect.version.unwrap_or_default(),
            connect.name.unwrap_or_default(),
        );
        confirm(local, key);
        Ok(())
    }

    #[inline]
    #[allow(clippy::too_many_arguments, reason = "it is a part of `next`")]
    fn publish(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        options: Options,
        data: &Bytes,
        at: usize,
        publish: &Publish,
        work: &mut u64,
    ) -> Result<(), ProtocolError> {
        let message = publish.message.moved(at);
        let origin = Origin {
            key,
            echo: options.echo,
            hub: false,
        };
        if publish.with_headers && !options.headers {
            return Err(ProtocolError::HeadersNotSupported);
        }
        let subject = message.subject.of(data);
        if options.pedantic
            || options.verbose
            || options.restricted
            || !publish.valid
            || is_reserved(subject)
        {
            let goes_on = self.answer_publish(local, key, options, publish.valid, subject);
            if !goes_on {
                return Ok(());
            }
        }
        let reply = message.reply.of(data);
        if is_reserved_reply(reply) {
            local.tell(key, Violation::Reply(reply).line().as_bytes());
            self.bound_replies(local, key);
            return Ok(());
        }
        if options.verbose {
            confirm(local, key);
        }
        assert!(
            !cfg!(test) || subject != PANIC,
            "a test requested this panic"
        );
        local.counters.in_msgs += 1;
        local.counters.in_bytes += message.body.len() as u64;

        let found = self.cache.find(subject, &self.shared.routes);
        *work += found.matches.len() as u64 * PER_TARGET;
        if found.looked_for > 0 {
            *work += PER_LOOK_UP + found.looked_for as u64 * PER_PATTERN;
        }
        let copy;
        // By reference: otherwise each message would be copied to where the two branches meet.
        let (buffer, message) = if publish.canonical {
            (data, &message)
        } else {
            let (bytes, message) = message.rewritten(data, true);
            copy = (Bytes::from(bytes), message);
            (&copy.0, &copy.1)
        };
        let matches = found.matches;
        if !options.no_responders || message.reply.is_empty() {
            self.dispatch
                .publish(local, buffer, message, origin, matches);
        } else if self
            .dispatch
            .request(local, buffer, message, origin, matches)
        {
            let reply = message.reply.of(buffer);
            self.dispatch
                .nobody_answers(local, &mut self.cache, key, reply);
            self.bound_replies(local, key);
        }
        Ok(())
    }

    /// Sends the replies to a publisher that precede delivery. Returns whether the message is
    /// delivered.
    #[cold]
    fn answer_publish(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        options: Options,
        is_valid: bool,
        subject: &[u8],
    ) -> bool {
        // nats-server reports wildcards, but still delivers the message.
        if !is_valid || options.pedantic && !is_literal(subject) {
            complain(local, key, ProtocolError::PublishSubject);
        }
        let now = local.now;
        let may = |client: &mut Connection| client.may_publish(subject, now);
        let denied =
            is_reserved(subject) || options.restricted && !local.change(key, may).unwrap_or(false);
        if is_valid && denied {
            local.tell(key, Violation::Publish(subject).line().as_bytes());
        }
        self.bound_replies(local, key);
        is_valid && !denied
    }

    // Not inlined into `next`, so the compiler optimises that function for messages.
    #[inline(never)]
    fn subscribe(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        subject: &[u8],
        queue: Option<&[u8]>,
        sid: &[u8],
    ) {
        if queue == Some(SYSTEM_QUEUE) {
            let violation = Violation::Queue(subject, SYSTEM_QUEUE);
            local.tell(key, violation.line().as_bytes());
            return;
        }
        let most = self.settings.max_subscriptions;
        let Some(client) = local.get(key) else {
            return;
        };
        let subscriptions = &client.subscriptions;
        // As in nats-server, the first of two subscriptions with the same sid stays.
        if subscriptions.place(sid).is_some() {
            confirm(local, key);
            return;
        }
        if most > 0 && subscriptions.len() >= most {
            complain(local, key, ProtocolError::Subscriptions);
            return;
        }
        if !is_valid(subject) {
            complain(local, key, ProtocolError::Subject);
            return;
        }
        let most = self.settings.max_subscription_tokens;
        if most > 0 && tokens(subject).count() > most {
            let violation = Violation::Tokens(subject);
            local.tell(key, violation.line().as_bytes());
            return;
        }
        let rights = client.rights();
        if rights.is_some_and(|rights| !rights.may_subscribe(subject, queue)) {
            let violation = match queue {
                Some(queue) => Violation::Queue(subject, queue),
                None => Violation::Subscription(subject),
            };
            local.tell(key, violation.line().as_bytes());
            return;
        }
        let looked_at = rights.is_some_and(|rights| rights.looks_at(subject));
        if self.add(local, key, sid, (subject, queue), looked_at) {
            confirm(local, key);
        } else {
            complain(local, key, ProtocolError::Subscriptions);
        }
    }

    /// Adds a subscription that passed all checks. Returns false if there are too many shapes.
    fn add(
        &self,
        local: &mut Local,
        key: ConnectionKey,
        sid: &[u8],
        (subject, queue): (&[u8], Option<&[u8]>),
        looked_at: bool,
    ) -> bool {
        let Some(client) = local.get(key) else {
            return true;
        };
        let (place, serial) = client.subscriptions.next();
        let target = Target {
            connection: key,
            place,
            serial,
        };
        let may_add_shape = client.subscriptions.may_add_shape();
        let routes = &self.shared.routes;
        let Ok(new_shape) = routes.insert(subject, queue, target, may_add_shape) else {
            return false;
        };
        local.change(key, |client| {
            client.subscriptions.insert(Subscription {
                sid: sid.into(),
                subject: subject.into(),
                queue: queue.map(Into::into),
                serial,
                delivered: 0,
                max: None,
                looked_at,
                new_shape,
            });
        });
        local.counters.subscriptions += 1;
        true
    }
}

/// The result of executing one frame.
enum Step {
    /// The frame was executed; contains its length.
    Done(usize),
    /// The same, but the frames after it must wait for a password check.
    Verifying(usize),
    /// The frame is incomplete. Contains its length if that is known, else 0.
    Incomplete(usize),
    /// The connection is closed.
    Closed,
}

fn unsubscribe(local: &mut Local, key: ConnectionKey, sid: &[u8], max: Option<u64>) {
    let Some(client) = local.get(key) else {
        return;
    };
    if let Some(place) = client.subscriptions.place(sid)
        && let Some(subscription) = client.subscriptions.get_mut(place)
    {
        match max {
            Some(max) if max > subscription.delivered => subscription.max = Some(max),
            _ => local.unsubscribe(key, place),
        }
    }
    confirm(local, key);
}

/// Sets a client's user, and ends subscriptions that the user may not have.
pub(crate) fn identify(local: &mut Local, key: ConnectionKey, grant: Arc<Grant>) {
    let Some(client) = local.get(key) else {
        return;
    };
    let before = client.identity.as_ref().map(|known| &known.grant);
    if before.is_some_and(|before| Arc::ptr_eq(before, &grant)) {
        return;
    }
    local.change(key, |client| client.identify(grant));
    let Some(client) = local.get(key) else {
        return;
    };
    let rights = client
        .identity
        .as_ref()
        .and_then(|known| known.grant.rights.as_ref());
    for denied in client.subscriptions.judge(rights) {
        local.unsubscribe(key, denied.place);
        let violation = Violation::Removed(&denied.subject, &denied.sid);
        local.tell(key, violation.line().as_bytes());
    }
}

fn confirm(local: &mut Local, key: ConnectionKey) {
    if local.get(key).is_some_and(|client| client.options.verbose) {
        local.tell(key, b"+OK\r\n");
    }
}

fn complain(local: &mut Local, key: ConnectionKey, error: ProtocolError) {
    if let Some(line) = error.line() {
        local.tell(key, line.as_bytes());
    }
}

//! What each command of a client does.

use std::sync::Arc;

use bytes::Bytes;

use super::cache::Cache;
use super::connection::{Options, Phase, Reading};
use super::dispatch::Dispatch;
use super::key::{ConnectionKey, Target};
use super::leaf::backoff::Cause;
use super::leaf::link::Todo;
use super::local::{Local, Origin, Reason};
use super::shared::Shared;
use super::subscriptions::Subscription;
use broker_protocol::{
    Connect, Frame, LeafFrame, LeafMessage, Limits, Message, Parsed, ParsedLeaf, ProtocolError,
    Publish, SYSTEM_QUEUE, Violation, is_literal, is_reserved, is_reserved_reply, is_valid, parse,
    parse_leaf,
};

/// Work that a frame is at least, see [`super::turns`].
const PER_FRAME: u64 = 2;

/// Work that each subscription is to which a message goes.
const PER_TARGET: u64 = 3;

/// Work that it is to look a subject up that is not remembered, and what each pattern
/// adds that is looked for.
const PER_LOOK_UP: u64 = 24;
const PER_PATTERN: u64 = 1;

/// Work that a subscription is when it comes or goes.
const PER_SUBSCRIPTION: u64 = 64;

/// What a hub may send: its own bound on a payload is not known in time, and lines have
/// none there. A line is less than what one read brings.
const HUB_LIMITS: Limits = Limits {
    max_control_line: 32 * 1024,
    max_payload: 64 * 1024 * 1024,
};

/// What a hub is told when there is a loop, in the words of nats-server.
const LOOP: &[u8] =
    b"-ERR 'Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s'\r\n";

/// What is published here ends the worker of a test.
const PANIC: &[u8] = b"$TEST.PANIC";

/// What came of carrying out some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    /// All frames but perhaps the last, of which so many bytes in all are needed if
    /// that is known.
    All { needed: usize },
    /// The time for this turn is over.
    Interrupted,
    /// A password has to be checked first.
    Verifying,
    /// The connection has to end.
    Failed(ProtocolError),
}

/// Carries frames out.
#[derive(Debug)]
pub(crate) struct Executor {
    shared: Arc<Shared>,
    pub(crate) cache: Cache,
    pub(crate) dispatch: Dispatch,
}

impl Executor {
    pub(crate) fn new(index: usize, shared: Arc<Shared>) -> Self {
        Self {
            cache: Cache::new(),
            dispatch: Dispatch::new(index, Arc::clone(&shared)),
            shared,
        }
    }

    /// Carries out the frames at the start of `data`, in order, for as long as the work
    /// is less than `most`. Returns how many bytes they were, the work done, and why it
    /// ended.
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
        let limits = self.shared.config.limits;
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
                // Nobody is there for the rest.
                Ok(Step::Closed) => return (data.len(), work, Carried::All { needed: 0 }),
                Err(error) => return (at, work, Carried::Failed(error)),
            }
        }
        (at, work, Carried::All { needed: 0 })
    }

    /// The same for what a hub has sent.
    #[cold]
    fn carry_out_of_hub(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        most: u64,
    ) -> (usize, u64, Carried) {
        let mut at = 0;
        let mut work = 0;
        while at < data.len() {
            if work >= most {
                return (at, work, Carried::Interrupted);
            }
            match self.next_of_hub(local, key, data, at, &mut work) {
                Ok(Step::Done(used) | Step::Verifying(used)) => at += used,
                Ok(Step::Incomplete(needed)) => return (at, work, Carried::All { needed }),
                Ok(Step::Closed) => return (data.len(), work, Carried::All { needed: 0 }),
                Err(error) => return (at, work, Carried::Failed(error)),
            }
        }
        (at, work, Carried::All { needed: 0 })
    }

    /// Carries out the frame of a hub that starts at `at`.
    fn next_of_hub(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        at: usize,
        work: &mut u64,
    ) -> Result<Step, ProtocolError> {
        *work += PER_FRAME;
        let now = local.now;
        let Some(client) = local.get(key) else {
            return Ok(Step::Closed);
        };
        let Some(link) = &mut client.link else {
            return Ok(Step::Closed);
        };
        let (frame, used) = match parse_leaf(&data[at..], &HUB_LIMITS)? {
            ParsedLeaf::Frame(frame, used) => (frame, used),
            ParsedLeaf::Incomplete(needed) => return Ok(Step::Incomplete(needed)),
        };
        match frame {
            LeafFrame::Info(json) => {
                let todo = link.informed(json, now);
                if todo == Todo::Encrypt && at + used < data.len() {
                    // Somebody in between may have put it there.
                    link.ends(Cause::Refused, "it goes on in clear where TLS has to begin");
                    local.close(key, Reason::Gone);
                    return Ok(Step::Closed);
                }
                match todo {
                    Todo::Nothing => {}
                    Todo::Connect => self.connect_to_hub(local, key),
                    Todo::GoUp => self.go_up(local, key),
                    Todo::Encrypt if encrypt(local, key).is_ok() => {}
                    Todo::Encrypt | Todo::End => {
                        local.close(key, Reason::Gone);
                        return Ok(Step::Closed);
                    }
                }
            }
            LeafFrame::Error(text) => link.hub_says(text),
            LeafFrame::Wanted { subject, queue } => {
                *work += PER_SUBSCRIPTION;
                client.was_active(now);
                self.wanted(local, key, subject, queue);
            }
            LeafFrame::Unwanted { subject, queue } => {
                *work += PER_SUBSCRIPTION;
                if let Some(place) = client.subscriptions.place(&hubs_name(subject, queue)) {
                    local.unsubscribe(key, place);
                }
            }
            LeafFrame::Message(message) => {
                client.was_active(now);
                self.publish_of_hub(local, key, data, at, message, work);
            }
            LeafFrame::Ping => local.tell(key, b"PONG\r\n"),
            LeafFrame::Pong => client.pong(),
            LeafFrame::Ignored => {}
        }
        Ok(Step::Done(used))
    }

    /// Tells a hub who this is.
    pub(crate) fn connect_to_hub(&mut self, local: &mut Local, key: ConnectionKey) {
        let hub = local.get(key).and_then(|client| client.link.as_ref());
        let Some((line, is_answered)) = hub.map(|link| link.connect()) else {
            return;
        };
        local.tell(key, &line);
        // Hubs before nats-server 2.4 do not answer.
        if !is_answered {
            self.go_up(local, key);
        }
    }

    /// Messages go to a hub and come from there from now on.
    fn go_up(&mut self, local: &mut Local, key: ConnectionKey) {
        let Some(client) = local.get(key) else {
            return;
        };
        client.phase = Phase::Welcome;
        let Some(link) = &mut client.link else {
            return;
        };
        let (shared, worker) = (Arc::downgrade(&self.shared), key.worker());
        let interest = link.go_up(move || {
            if let Some(shared) = shared.upgrade() {
                shared.workers[worker].mailbox.call_for_interest();
            }
        });
        local.tell(key, &interest);
    }

    /// A hub wants what is published to a subject.
    fn wanted(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        subject: &[u8],
        queue: Option<&[u8]>,
    ) {
        let Some(client) = local.get(key) else {
            return;
        };
        let Some(link) = &mut client.link else {
            return;
        };
        if let Some(id) = subject.strip_prefix(b"$LDS.") {
            if id == link.remote.loop_id.as_bytes() {
                link.ends(
                    Cause::Conflict,
                    "there is a loop: what this server tells it comes back; leaf nodes and hubs must not make a ring",
                );
                local.tell(key, LOOP);
                local.close(key, Reason::Gone);
            }
            return;
        }
        let name = hubs_name(subject, queue);
        let subscriptions = &client.subscriptions;
        if !is_valid(subject) || subscriptions.place(&name).is_some() {
            return;
        }
        let (place, serial) = subscriptions.next();
        let target = Target {
            connection: key,
            place,
            serial,
        };
        let may_add_shape = subscriptions.may_add_shape();
        let remote = Arc::clone(&link.remote);
        let routes = &self.shared.routes;
        let Ok(new_shape) = routes.insert(subject, queue, target, may_add_shape) else {
            remote.too_many_shapes(subject);
            return;
        };
        local.change(key, |client| {
            client.subscriptions.insert(Subscription {
                sid: name.into(),
                subject: subject.into(),
                queue: queue.map(Into::into),
                serial,
                delivered: 0,
                max: None,
                new_shape,
            });
        });
        local.counters.subscriptions += 1;
    }

    /// Sends on what comes from a hub.
    fn publish_of_hub(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        at: usize,
        from: LeafMessage,
        work: &mut u64,
    ) {
        let input = &data[at..];
        let subject = from.message.subject.of(input);
        let Some(link) = local.get(key).and_then(|client| client.link.as_ref()) else {
            return;
        };
        let body = from.message.body.len();
        link.count_in(body);
        // A control byte in a subject breaks subscribers that read lines.
        if !from.valid || !link.gives(subject) {
            return;
        }
        local.counters.in_msgs += 1;
        local.counters.in_bytes += body as u64;
        let origin = Origin {
            key,
            echo: false,
            hub: true,
        };
        let found = self.cache.find(subject, &self.shared.routes);
        *work += found.matches.len() as u64 * PER_TARGET;
        if found.looked_for > 0 {
            *work += PER_LOOK_UP + found.looked_for as u64 * PER_PATTERN;
        }
        let shown = from.shown(input);
        let (copy, message);
        let buffer = if from.canonical && shown.is_none() {
            message = from.message.moved(at);
            data
        } else {
            let (subject, reply) = shown
                .map_or((from.message.subject, from.message.reply), |shown| {
                    (shown.subject, shown.reply)
                });
            let as_shown = Message {
                subject,
                reply,
                ..from.message
            };
            let (bytes, rewritten) = as_shown.rewritten(input, true);
            copy = Bytes::from(bytes);
            message = rewritten;
            &copy
        };
        let groups = from.groups(input);
        self.dispatch
            .publish_from_hub(local, buffer, &message, origin, found.matches, groups);
    }

    /// Carries out the frame that starts at `at`.
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
        let now = local.now;
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

    /// What the server answers counts for what may wait for a client like anything else.
    fn bound_replies(&mut self, local: &mut Local, key: ConnectionKey) {
        let bounds = local.bounds;
        if let Some(client) = local.get(key)
            && client.is_crowded(&bounds)
        {
            let needed = client.output.pending() > bounds.max_pending;
            self.dispatch.relieve(local, key, None, needed);
        }
    }

    /// Carries CONNECT out. Tells whether that has to wait until a password is checked.
    fn connect(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        json: &[u8],
    ) -> Result<bool, ProtocolError> {
        let config = &self.shared.config;
        let Some(client) = local.get(key) else {
            return Ok(false);
        };
        // What a further CONNECT leaves out stays as it is.
        let mut connect = client.options.connect();
        connect.update(json)?;
        let is_known = client.phase == Phase::Welcome && !connect.gives_credentials();
        if is_known {
            self.welcome(local, key, connect)?;
            return Ok(false);
        }
        if let Some(verify) = &self.shared.verify
            && verify.send((key, Box::new(connect.clone()))).is_ok()
        {
            client.reading = Reading::Verifying;
            return Ok(true);
        }
        let is_right = config.credentials.accept(&connect);
        self.verified(local, key, connect, is_right)?;
        Ok(false)
    }

    /// Goes on with a CONNECT, now that it is known whether what it gives is right.
    pub(crate) fn verified(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        connect: Connect,
        is_right: bool,
    ) -> Result<(), ProtocolError> {
        if !is_right {
            return Err(ProtocolError::Authorization);
        }
        self.welcome(local, key, connect)
    }

    fn welcome(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        connect: Connect,
    ) -> Result<(), ProtocolError> {
        let config = &self.shared.config;
        let now = local.now;
        let Some(client) = local.get(key) else {
            return Ok(());
        };
        client.welcome(&connect, now, config.ping_interval);
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
    #[allow(clippy::too_many_arguments, reason = "it is one step of `next`")]
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
        if options.pedantic || options.verbose || !publish.valid || is_reserved(subject) {
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
            "a client of a test asked for it"
        );
        local.counters.in_msgs += 1;
        local.counters.in_bytes += message.body.len() as u64;

        let found = self.cache.find(subject, &self.shared.routes);
        *work += found.matches.len() as u64 * PER_TARGET;
        if found.looked_for > 0 {
            *work += PER_LOOK_UP + found.looked_for as u64 * PER_PATTERN;
        }
        let copy;
        // By reference: each message would otherwise be copied to where both ways meet.
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

    /// What is to be said to who publishes, before the message is looked at. Tells
    /// whether it is delivered.
    #[cold]
    fn answer_publish(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        options: Options,
        is_valid: bool,
        subject: &[u8],
    ) -> bool {
        // nats-server complains of wildcards, and delivers the message all the same.
        if !is_valid || options.pedantic && !is_literal(subject) {
            complain(local, key, ProtocolError::PublishSubject);
        }
        let is_reserved = is_valid && is_reserved(subject);
        if is_reserved {
            local.tell(key, Violation::Publish(subject).line().as_bytes());
        }
        self.bound_replies(local, key);
        is_valid && !is_reserved
    }

    fn subscribe(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        subject: &[u8],
        queue: Option<&[u8]>,
        sid: &[u8],
    ) {
        if queue == Some(SYSTEM_QUEUE) {
            local.tell(key, Violation::Queue(subject).line().as_bytes());
            return;
        }
        let most = self.shared.config.max_subscriptions;
        let Some(client) = local.get(key) else {
            return;
        };
        let subscriptions = &client.subscriptions;
        // The first of two with the same name stays, as with nats-server.
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
        let (place, serial) = subscriptions.next();
        let target = Target {
            connection: key,
            place,
            serial,
        };
        let may_add_shape = subscriptions.may_add_shape();
        let routes = &self.shared.routes;
        let Ok(new_shape) = routes.insert(subject, queue, target, may_add_shape) else {
            complain(local, key, ProtocolError::Subscriptions);
            return;
        };
        local.change(key, |client| {
            client.subscriptions.insert(Subscription {
                sid: sid.into(),
                subject: subject.into(),
                queue: queue.map(Into::into),
                serial,
                delivered: 0,
                max: None,
                new_shape,
            });
        });
        local.counters.subscriptions += 1;
        confirm(local, key);
    }
}

/// What came of one frame.
enum Step {
    /// It was so many bytes.
    Done(usize),
    /// The same, and what follows waits until a password is checked.
    Verifying(usize),
    /// It has not all come. So many bytes are needed in all, if that is known.
    Incomplete(usize),
    /// The connection is closed.
    Closed,
}

/// Goes on with TLS to a hub.
#[cfg(feature = "tls")]
fn encrypt(local: &mut Local, key: ConnectionKey) -> Result<(), ()> {
    // The link has a deadline of its own.
    let deadline = local.now + std::time::Duration::from_hours(1);
    let encrypted = local.change(key, |client| {
        let link = client.link.as_mut().ok_or(())?;
        client.transport.session = Some(Box::new(link.session()?));
        client.phase = Phase::Handshake(deadline);
        client.transport.flush().map_err(drop)
    });
    encrypted.unwrap_or(Err(()))
}

/// Goes on with TLS to a hub, which this build has not.
#[cfg(not(feature = "tls"))]
fn encrypt(local: &mut Local, key: ConnectionKey) -> Result<(), ()> {
    let link = local.get(key).and_then(|client| client.link.as_mut());
    let link = link.ok_or(())?;
    link.ends(Cause::Refused, "it wants TLS, and this build has none");
    Err(())
}

/// What stands for the name that a client gives a subscription: hubs give none.
fn hubs_name(subject: &[u8], queue: Option<&[u8]>) -> Vec<u8> {
    match queue {
        None => subject.to_vec(),
        Some(queue) => [subject, b" ", queue].concat(),
    }
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

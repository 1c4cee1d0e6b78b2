//! Executes the commands of hubs.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Carried, Executor, PER_FRAME, PER_LOOK_UP, PER_PATTERN, PER_SUBSCRIPTION, PER_TARGET, Step,
};
use crate::connection::Phase;
use crate::key::ConnectionKey;
use crate::leaf::backoff::Cause;
use crate::leaf::link::Todo;
use crate::local::{Local, Origin, Reason};
use crate::trace;
use broker_protocol::{
    LeafFrame, LeafMessage, Limits, Message, ParsedLeaf, ProtocolError, is_valid, parse_leaf,
};

/// Limits on a hub's frames. The hub's own payload limit is not known early enough, and it does not
/// limit its lines. A line must be shorter than one read.
const HUB_LIMITS: Limits = Limits {
    max_control_line: 32 * 1024,
    max_payload: 64 * 1024 * 1024,
};

/// nats-server's text for a loop.
const LOOP: &[u8] =
    b"-ERR 'Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s'\r\n";

impl Executor {
    /// Same as `carry_out`, for a hub's input.
    #[cold]
    pub(super) fn carry_out_of_hub(
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

    /// Executes the hub's frame that starts at `at`.
    fn next_of_hub(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        data: &Bytes,
        at: usize,
        work: &mut u64,
    ) -> Result<Step, ProtocolError> {
        *work += PER_FRAME;
        let (now, traces) = (local.now, local.traces);
        let Some(client) = local.get(key) else {
            return Ok(Step::Closed);
        };
        if client.link.is_none() {
            return Ok(Step::Closed);
        }
        let (frame, used) = match parse_leaf(&data[at..], &HUB_LIMITS)? {
            ParsedLeaf::Frame(frame, used) => (frame, used),
            ParsedLeaf::Incomplete(needed) => return Ok(Step::Incomplete(needed)),
        };
        if traces {
            trace::received(client, &data[at..]);
        }
        let Some(link) = &mut client.link else {
            return Ok(Step::Closed);
        };
        match frame {
            LeafFrame::Info(json) => {
                let todo = link.informed(json, now);
                if todo == Todo::Encrypt && at + used < data.len() {
                    // An attacker on the network may have inserted it.
                    link.ends(
                        Cause::Refused,
                        "the hub sent plaintext where TLS must begin",
                    );
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

    /// Sends CONNECT to a hub.
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

    /// Starts the exchange of messages with a hub.
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

    /// Adds a subscription of a hub.
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
                    "loop detected: this server's subscriptions came back; leaf nodes and hubs must not form a loop",
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
        let remote = Arc::clone(&link.remote);
        if !self.add(local, key, &name, (subject, queue), false) {
            remote.too_many_shapes(subject);
        }
    }

    /// Delivers a message from a hub.
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
}

/// Continues with TLS to a hub.
#[cfg(feature = "tls")]
pub(crate) fn encrypt(local: &mut Local, key: ConnectionKey) -> Result<(), ()> {
    // The link has its own deadline.
    let deadline = local.now + std::time::Duration::from_hours(1);
    let encrypted = local.change(key, |client| {
        let link = client.link.as_mut().ok_or(())?;
        client.transport.layers = Some(Box::new(crate::layers::Layers::tls(link.session()?)));
        client.phase = Phase::Handshake(deadline);
        client.transport.flush().map_err(drop)
    });
    encrypted.unwrap_or(Err(()))
}

/// Fails, because this build does not support TLS.
#[cfg(not(feature = "tls"))]
pub(crate) fn encrypt(local: &mut Local, key: ConnectionKey) -> Result<(), ()> {
    let link = local.get(key).and_then(|client| client.link.as_mut());
    let link = link.ok_or(())?;
    link.ends(
        Cause::Refused,
        "the hub requires TLS, which this build does not support",
    );
    Err(())
}

/// Returns the sid of a hub's subscription, since hubs send none.
fn hubs_name(subject: &[u8], queue: Option<&[u8]>) -> Vec<u8> {
    match queue {
        None => subject.to_vec(),
        Some(queue) => [subject, b" ", queue].concat(),
    }
}

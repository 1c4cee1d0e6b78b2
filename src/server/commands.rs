//! What each command of a client does.

use std::ops::Range;

use bytes::Bytes;

use super::connection::Subscription;
use super::delivery::{Origin, Reason, target};
use super::worker::Worker;
use crate::protocol::{
    Connect, Frame, Limits, Parsed, ProtocolError, Publish, is_literal, is_valid, no_responders,
    parse,
};

impl Worker {
    /// Carries out the frames in the first `length` bytes of `data`, in order.
    /// Returns how many bytes they were; the rest is a frame that has not all come.
    pub(super) fn carry_out(&mut self, slot: usize, data: &Bytes, length: usize) -> usize {
        let limits = self.delivery.shared.config.limits;
        let mut at = 0;
        while at < length {
            match self.next(slot, data, at..length, &limits) {
                Ok(0) => break,
                Ok(used) => at += used,
                Err(error) => {
                    self.delivery.close(slot, Reason::Error(error));
                    break;
                }
            }
        }
        at
    }

    /// Carries out the frame at the start of `range`. Returns how many bytes it was, and 0 if it
    /// has not all come, or if the connection is closed.
    #[inline]
    fn next(
        &mut self,
        slot: usize,
        data: &Bytes,
        range: Range<usize>,
        limits: &Limits,
    ) -> Result<usize, ProtocolError> {
        let Some(client) = self.delivery.clients.get_mut(slot) else {
            return Ok(0);
        };
        let at = range.start;
        let input = &data[range];
        if !client.welcome
            && self.delivery.shared.config.credentials.are_wanted()
            && !input[0].eq_ignore_ascii_case(&b'c')
        {
            return Err(ProtocolError::Authorization);
        }
        let (frame, used) = match parse(input, limits)? {
            Parsed::Frame(frame, used) => (frame, used),
            Parsed::Incomplete(needed) => {
                client.needed = needed;
                return Ok(0);
            }
        };
        match frame {
            Frame::Publish(publish) => self.publish(slot, data, at, &publish)?,
            Frame::Subscribe {
                subject,
                queue,
                sid,
            } => self.subscribe(slot, subject, queue, sid),
            Frame::Unsubscribe { sid, max } => self.unsubscribe(slot, sid, max),
            Frame::Ping => self.delivery.tell(slot, b"PONG\r\n"),
            Frame::Pong => client.pings_out = 0,
            Frame::Connect(json) => self.connect(slot, json)?,
            Frame::Ignored => {}
        }
        Ok(used)
    }

    fn connect(&mut self, slot: usize, json: &[u8]) -> Result<(), ProtocolError> {
        let config = &self.delivery.shared.config;
        let connect = Connect::parse(json)?;
        if !config.credentials.accept(&connect) {
            return Err(ProtocolError::Authorization);
        }
        let client = &mut self.delivery.clients[slot];
        client.welcome(&connect, self.delivery.now, config.ping_interval);
        connect.check()?;
        tracing::debug!(
            "client {} at {}: {} {} {}",
            client.id,
            client.address,
            connect.lang.unwrap_or_default(),
            connect.version.unwrap_or_default(),
            connect.name.unwrap_or_default(),
        );
        self.confirm(slot);
        Ok(())
    }

    fn confirm(&mut self, slot: usize) {
        if self.delivery.clients[slot].options.verbose {
            self.delivery.tell(slot, b"+OK\r\n");
        }
    }

    fn complain(&mut self, slot: usize, error: ProtocolError) {
        if let Some(line) = error.line() {
            self.delivery.tell(slot, line.as_bytes());
        }
    }

    #[inline]
    fn publish(
        &mut self,
        slot: usize,
        data: &Bytes,
        at: usize,
        publish: &Publish,
    ) -> Result<(), ProtocolError> {
        let message = publish.message.moved(at);
        let client = &self.delivery.clients[slot];
        let options = client.options;
        let origin = Origin {
            worker: self.delivery.index,
            producer: self.producer(slot, client.id),
            echo: options.echo,
        };
        if publish.with_headers && !options.headers {
            return Err(ProtocolError::HeadersNotSupported);
        }
        // nats-server complains, and delivers it all the same.
        if options.pedantic && !is_literal(message.subject.of(data)) {
            self.complain(slot, ProtocolError::PublishSubject);
        }
        if options.verbose {
            self.confirm(slot);
        }
        let counters = &mut self.delivery.counters;
        counters.in_msgs += 1;
        counters.in_bytes += message.body.len() as u64;

        let routes = &self.shared.routes;
        let matches = self.cache.find(message.subject.of(data), routes);
        let anyone = if publish.canonical {
            self.delivery.publish(data, &message, origin, matches)
        } else {
            let (copy, message) = message.rewritten(data, true);
            let copy = Bytes::from(copy);
            self.delivery.publish(&copy, &message, origin, matches)
        };
        if !anyone && options.no_responders && !message.reply.is_empty() {
            self.nobody_answers(slot, message.reply.of(data));
        }
        Ok(())
    }

    /// Answers a request in the place of those who are not there.
    #[cold]
    fn nobody_answers(&mut self, slot: usize, reply: &[u8]) {
        let client = &self.delivery.clients[slot];
        let (worker, id) = (self.delivery.index, client.id);
        let matches = self.cache.find(reply, &self.shared.routes);
        let own = matches.plain.iter().find_map(|found| {
            let place = found.subscription as usize;
            let subscription = client.subscriptions.get(place)?;
            let own = target(worker, slot, id, place, subscription.serial);
            (*found == own).then_some(subscription)
        });
        if let Some(subscription) = own {
            let line = no_responders(reply, &subscription.sid);
            self.delivery.tell(slot, &line);
        }
    }

    fn subscribe(&mut self, slot: usize, subject: &[u8], queue: Option<&[u8]>, sid: &[u8]) {
        let most = self.delivery.shared.config.max_subscriptions;
        let client = &mut self.delivery.clients[slot];
        if most > 0 && client.subscriptions.len() >= most {
            self.complain(slot, ProtocolError::Subscriptions);
            return;
        }
        // The first of two with the same name stays, as with nats-server.
        if client.by_sid.contains_key(sid) {
            self.confirm(slot);
            return;
        }
        if !is_valid(subject) {
            self.complain(slot, ProtocolError::Subject);
            return;
        }
        client.serial = client.serial.wrapping_add(1);
        let serial = client.serial;
        let place = client.subscriptions.insert(Subscription {
            sid: sid.into(),
            subject: subject.into(),
            queue: queue.map(Into::into),
            serial,
            delivered: 0,
            max: None,
        });
        let target = target(self.delivery.index, slot, client.id, place, serial);
        client.by_sid.insert(sid.into(), target.subscription);
        self.shared.routes.insert(subject, queue, target);
        self.delivery.counters.subscriptions += 1;
        self.confirm(slot);
    }

    fn unsubscribe(&mut self, slot: usize, sid: &[u8], max: Option<u64>) {
        let client = &mut self.delivery.clients[slot];
        if let Some(&place) = client.by_sid.get(sid) {
            let place = place as usize;
            let subscription = &mut client.subscriptions[place];
            match max {
                Some(max) if max > subscription.delivered => subscription.max = Some(max),
                _ => self.delivery.unsubscribe(slot, place),
            }
        }
        self.confirm(slot);
    }
}

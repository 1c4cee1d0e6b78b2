//! Delivers messages to matching connections, on any worker.
//!
//! A message for a connection of this worker is appended to its output at once; messages for
//! another worker are collected and sent in one batch. A message for a queue group member that has
//! left is forwarded within the group. If a request reaches no subscriber, its publisher gets
//! status 503.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::batch::{Asker, Attempts, Batch, Errand};
use super::cache::Cache;
use super::key::{ConnectionKey, Target};
use super::local::{Delivery, Local, Origin, share_from};
use super::mailbox::Mail;
use super::routes::{Link, Matches};
use super::shared::Shared;
use super::stall::Pace;
use broker_protocol::{Message, no_responders};

/// How often a message is forwarded to another worker because its target has left. A leaving member
/// is removed from the routes at once, so more than one or two hops are very rare.
const MOST_HOPS: u8 = 100;

/// A message whose target was gone.
#[derive(Debug)]
struct Returned {
    buffer: Bytes,
    message: Message,
    origin: Origin,
    hops: u8,
    asker: Asker,
    group: Option<Arc<[u8]>>,
}

/// A worker's outgoing messages for other workers.
#[derive(Debug)]
pub(crate) struct Dispatch {
    index: usize,
    shared: Arc<Shared>,
    /// One batch for each other worker.
    outgoing: Vec<Batch>,
    /// Messages whose targets were gone.
    returned: Vec<Returned>,
    /// Connections that publish too fast for a subscriber, and the ends of their stalls.
    stalls: Vec<(ConnectionKey, Instant)>,
    /// A request's targets on other workers, with their groups.
    elsewhere: Vec<(Target, Option<Arc<[u8]>>)>,
    random: fastrand::Rng,
}

impl Dispatch {
    pub(crate) fn new(index: usize, shared: Arc<Shared>) -> Self {
        Self {
            index,
            outgoing: shared.workers.iter().map(|_| Batch::default()).collect(),
            returned: Vec::new(),
            stalls: Vec::new(),
            elsewhere: Vec::new(),
            random: fastrand::Rng::new(),
            shared,
        }
    }

    /// Sends a message to all matching subscriptions, and to one member of each matching group.
    #[inline]
    pub(crate) fn publish(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        matches: &Matches,
    ) {
        self.send_to_plain(local, buffer, message, origin, matches);
        let share_from = share_from(matches.len());
        for (group, members) in matches.groups() {
            self.send_to_group(local, buffer, message, origin, (group, members), share_from);
        }
        if !matches.links.is_empty() {
            self.send_to_hubs(local, buffer, message, origin, matches);
        }
    }

    /// Same as [`Dispatch::publish`] for a message from a hub, which goes only to the groups that
    /// it names, and to no hub.
    pub(crate) fn publish_from_hub<'g>(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        matches: &Matches,
        groups: impl Iterator<Item = &'g [u8]>,
    ) {
        self.send_to_plain(local, buffer, message, origin, matches);
        let share_from = share_from(matches.len());
        for name in groups {
            if let Some(group) = matches.named(name) {
                self.send_to_group(local, buffer, message, origin, group, share_from);
            }
        }
    }

    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "messages from hubs use it too, and without this it is not inlined"
    )]
    fn send_to_plain(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        matches: &Matches,
    ) {
        let share_from = share_from(matches.len());
        for target in &matches.plain {
            let worker = target.connection.worker();
            if worker == self.index {
                self.deliver(local, buffer, message, origin, *target, share_from);
            } else {
                let errand = Errand {
                    origin,
                    hops: 0,
                    asker: &Asker::Nobody,
                    group: None,
                };
                local.unsent += self.outgoing[worker].add(buffer, message, target, errand);
            }
        }
    }

    /// Sends a message to one member of a group.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "messages from hubs use it too, and without this it is not inlined"
    )]
    fn send_to_group(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        (group, members): (&Arc<[u8]>, &[Target]),
        share_from: usize,
    ) {
        for target in from_anywhere(&mut self.random, members) {
            if target.connection.worker() == self.index {
                if self.deliver(local, buffer, message, origin, target, share_from) {
                    break;
                }
            } else {
                let errand = Errand {
                    origin,
                    hops: 0,
                    asker: &Asker::Nobody,
                    group: Some(group),
                };
                self.post(local, buffer, message, target, errand);
                break;
            }
        }
    }

    /// Sends a message to each interested hub once, with the names of the groups that get it there:
    /// those without members among the clients.
    #[cold]
    fn send_to_hubs(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        matches: &Matches,
    ) {
        self.for_hubs(matches, |this, key, groups| {
            if key.worker() == this.index {
                this.deliver_to_hub(local, buffer, message, origin, key, groups);
            } else {
                let errand = Errand {
                    origin,
                    hops: 0,
                    asker: &Asker::Nobody,
                    group: groups,
                };
                this.post(local, buffer, message, Target::hub(key), errand);
            }
        });
    }

    /// Calls `with` for each hub that gets the message, with the names of the groups that get it
    /// there.
    fn for_hubs(
        &mut self,
        matches: &Matches,
        mut with: impl FnMut(&mut Self, ConnectionKey, Option<&Arc<[u8]>>),
    ) {
        // If several hubs have members of a group, one hub gets the message for it.
        let mut given = Vec::new();
        let first = self.random.usize(..matches.links.len());
        let (before, from) = matches.links.split_at(first);
        for link in from.iter().chain(before) {
            if !self.is_there(link.connection) {
                continue;
            }
            let mut names = Vec::new();
            for &group in &link.groups {
                let (name, members) = matches.numbered(group);
                if members.is_empty() && !given.contains(&group) {
                    given.push(group);
                    if !names.is_empty() {
                        names.push(b' ');
                    }
                    names.extend_from_slice(name);
                }
            }
            if link.plain || !names.is_empty() {
                let names: Option<Arc<[u8]>> = (!names.is_empty()).then(|| names.into());
                with(self, link.connection, names.as_ref());
            }
        }
    }

    /// Returns whether a hub is still connected.
    fn is_there(&self, hub: ConnectionKey) -> bool {
        let remote = self.shared.hub.as_ref();
        remote.is_some_and(|remote| remote.is_connection(hub))
    }

    /// Delivers to a hub of this worker. Returns whether the hub accepted the message.
    fn deliver_to_hub(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        key: ConnectionKey,
        groups: Option<&Arc<[u8]>>,
    ) -> bool {
        let groups = groups.map_or(&[][..], |groups| groups);
        let deliver =
            |local: &mut Local| local.deliver_to_hub(buffer, message, key, groups, share_from(1));
        match deliver(local) {
            Delivery::Accepted => true,
            Delivery::Refused => false,
            Delivery::Crowded => {
                let pace = self.relieve(local, key, false);
                self.stall(local, origin, pace, buffer, message);
                true
            }
            Delivery::Full => {
                let pace = self.relieve(local, key, true);
                self.stall(local, origin, pace, buffer, message);
                matches!(deliver(local), Delivery::Accepted | Delivery::Crowded)
            }
        }
    }

    /// Adds a message to the batch for another worker.
    // Has several callers and is long, so copies would not help.
    #[inline(never)]
    fn post(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        target: Target,
        errand: Errand<'_>,
    ) {
        let batch = &mut self.outgoing[target.connection.worker()];
        local.unsent += batch.add(buffer, message, &target, errand);
    }

    /// Delivers to a connection of this worker. Returns whether a subscriber got the message.
    // Has several callers and is long, so copies would not help.
    #[inline(never)]
    fn deliver(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        target: Target,
        share_from: usize,
    ) -> bool {
        match local.deliver(buffer, message, origin, target, share_from) {
            Delivery::Accepted => true,
            Delivery::Refused => false,
            Delivery::Crowded => {
                let pace = self.relieve(local, target.connection, false);
                self.stall(local, origin, pace, buffer, message);
                true
            }
            Delivery::Full => {
                let pace = self.relieve(local, target.connection, true);
                self.stall(local, origin, pace, buffer, message);
                match local.deliver(buffer, message, origin, target, share_from) {
                    Delivery::Accepted | Delivery::Crowded => true,
                    Delivery::Full | Delivery::Refused => false,
                }
            }
        }
    }

    /// Makes room in a full output, see [`Local::relieve`]. Returns the pace of its publishers.
    #[cold]
    pub(crate) fn relieve(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        needed: bool,
    ) -> Option<Pace> {
        // Batches must be sent before any write; a blocked socket takes none.
        if !local.is_blocked(key) {
            self.send_batches(local);
        }
        local.relieve(key, needed)
    }

    /// Stalls a publisher if it is too fast for a connection that has got its message.
    #[cold]
    fn stall(
        &mut self,
        local: &mut Local,
        origin: Origin,
        pace: Option<Pace>,
        buffer: &Bytes,
        message: &Message,
    ) {
        let Some(pace) = pace else {
            return;
        };
        let pace = if origin.hub { pace.of_hub() } else { pace };
        let message = message.tail.of(buffer);
        let Some(end) = local.stalls.add(origin.key, pace, message, local.now) else {
            return;
        };
        match self.stalls.last_mut() {
            Some((last, latest)) if *last == origin.key => *latest = end.max(*latest),
            _ => self.stalls.push((origin.key, end)),
        }
    }

    /// Applies the stalls of this worker's connections, and sends the others to their workers.
    pub(crate) fn take_stalls(&mut self, mut with: impl FnMut(ConnectionKey, Instant)) {
        for (key, end) in self.stalls.drain(..) {
            if key.worker() == self.index {
                with(key, end);
            } else {
                let peer = &self.shared.workers[key.worker()];
                peer.mailbox.send(Mail::Stall(key, end));
            }
        }
    }

    /// Same as [`Dispatch::publish`] for a request with `no_responders`. Returns whether it is
    /// already known that no subscriber gets it.
    pub(crate) fn request(
        &mut self,
        local: &mut Local,
        buffer: &Bytes,
        message: &Message,
        origin: Origin,
        matches: &Matches,
    ) -> bool {
        let share_from = share_from(matches.len());
        let mut anyone = false;
        self.elsewhere.clear();
        for &target in &matches.plain {
            if target.connection.worker() == self.index {
                anyone |= self.deliver(local, buffer, message, origin, target, share_from);
            } else {
                self.elsewhere.push((target, None));
            }
        }
        for (group, members) in matches.groups() {
            for target in from_anywhere(&mut self.random, members) {
                if target.connection.worker() != self.index {
                    self.elsewhere.push((target, Some(Arc::clone(group))));
                    break;
                }
                if self.deliver(local, buffer, message, origin, target, share_from) {
                    anyone = true;
                    break;
                }
            }
        }
        if !matches.links.is_empty() {
            self.for_hubs(matches, |this, key, groups| {
                if key.worker() == this.index {
                    anyone |= this.deliver_to_hub(local, buffer, message, origin, key, groups);
                } else {
                    this.elsewhere.push((Target::hub(key), groups.cloned()));
                }
            });
        }
        let asker = match self.elsewhere.len() {
            _ if anyone => Asker::Nobody,
            0 => return true,
            1 => Asker::Alone,
            more => Asker::Among(Attempts::new(u32::try_from(more).unwrap_or(u32::MAX >> 1))),
        };
        let mut elsewhere = std::mem::take(&mut self.elsewhere);
        for (target, group) in elsewhere.drain(..) {
            let errand = Errand {
                origin,
                hops: 0,
                asker: &asker,
                group: group.as_ref(),
            };
            self.post(local, buffer, message, target, errand);
        }
        self.elsewhere = elsewhere;
        false
    }

    /// Sends the batches to the other workers.
    ///
    /// Must precede writing: a client that has received PONG may tell others that its earlier
    /// messages are on their way.
    pub(crate) fn send_batches(&mut self, local: &mut Local) {
        for worker in 0..self.outgoing.len() {
            if self.outgoing[worker].is_empty() {
                continue;
            }
            let mut batch = std::mem::take(&mut self.outgoing[worker]);
            if batch.is_small() && self.stand_in(local, worker, &batch) {
                batch.clear();
                self.outgoing[worker] = batch;
            } else {
                self.outgoing[worker] = self.shared.workers[self.index].batch();
                let mail = Mail::Messages(batch, self.index);
                self.shared.workers[worker].mailbox.send(mail);
            }
        }
    }

    /// Sends the batches to the other workers, until no message has returned.
    pub(crate) fn settle(&mut self, local: &mut Local, cache: &mut Cache) {
        loop {
            self.send_batches(local);
            let Some(returned) = self.returned.pop() else {
                return;
            };
            self.send_on(local, cache, returned);
            while let Some(returned) = self.returned.pop() {
                self.send_on(local, cache, returned);
            }
        }
    }

    /// Delivers on behalf of a sleeping worker, which is faster than waking it up. Returns whether
    /// the batch was delivered.
    ///
    /// Only tries the other worker's lock, because that worker may be delivering for this one.
    /// While this worker holds the lock, the other one reads no mail, so an empty mailbox means
    /// that everything sent before has been delivered.
    fn stand_in(&mut self, local: &Local, worker: usize, batch: &Batch) -> bool {
        let shared = Arc::clone(&self.shared);
        let peer = &shared.workers[worker];
        let Some(mut other) = peer.try_local() else {
            return false;
        };
        let Some(other) = other.as_mut().filter(|_| peer.mailbox.is_empty()) else {
            return false;
        };
        other.now = local.now;
        self.arrive(other, batch);
        if !other.flush_all() {
            peer.mailbox.wake();
        }
        peer.publish(other);
        true
    }

    /// Delivers a batch from another worker, or this worker's batch on behalf of another.
    pub(crate) fn arrive(&mut self, local: &mut Local, batch: &Batch) {
        local.stalls.begin();
        batch.deliver(|buffer, message, target, errand, targets| {
            let origin = errand.origin;
            let share_from = share_from(targets);
            let deliver = |local: &mut Local| {
                if target.is_link() {
                    let groups = errand.group.map_or(&[][..], |groups| groups);
                    local.deliver_to_hub(buffer, message, target.connection, groups, share_from)
                } else {
                    local.deliver(buffer, message, origin, target, share_from)
                }
            };
            let mut delivery = deliver(local);
            if matches!(delivery, Delivery::Crowded | Delivery::Full) {
                let full = delivery == Delivery::Full;
                let pace = local.relieve(target.connection, full);
                self.stall(local, origin, pace, buffer, message);
                if full {
                    delivery = deliver(local);
                }
            }
            match delivery {
                Delivery::Accepted | Delivery::Crowded => errand.asker.succeeded(),
                // A message for one subscription is not forwarded.
                Delivery::Full | Delivery::Refused
                    if errand.group.is_none() && matches!(errand.asker, Asker::Nobody) => {}
                Delivery::Full | Delivery::Refused => self.returned.push(Returned {
                    buffer: buffer.clone(),
                    message: *message,
                    origin,
                    hops: errand.hops,
                    asker: errand.asker.clone(),
                    group: errand.group.cloned(),
                }),
            }
        });
    }

    /// Forwards a message whose target was gone to another member of its group, preferably on this
    /// worker.
    #[cold]
    fn send_on(&mut self, local: &mut Local, cache: &mut Cache, returned: Returned) {
        let Returned {
            buffer,
            message,
            origin,
            hops,
            asker,
            group,
        } = returned;
        if let Some(group) = &group
            && hops < MOST_HOPS
        {
            let subject = message.subject.of(&buffer);
            let found = cache.find(subject, &self.shared.routes);
            let members = found.matches.group(group);
            let share_from = share_from(1);
            for target in from_anywhere(&mut self.random, members) {
                if target.connection.worker() == self.index
                    && self.deliver(local, &buffer, &message, origin, target, share_from)
                {
                    asker.succeeded();
                    return;
                }
            }
            let mut members = from_anywhere(&mut self.random, members);
            let elsewhere = members.find(|target| {
                let is_publisher = target.connection == origin.key && !origin.echo;
                target.connection.worker() != self.index && !is_publisher
            });
            if let Some(target) = elsewhere {
                let errand = Errand {
                    origin,
                    hops: hops + 1,
                    asker: &asker,
                    group: Some(group),
                };
                self.post(local, &buffer, &message, target, errand);
                return;
            }
            // A hub that already got the message for another group would deliver it twice.
            let has_group = |link: &&Link| {
                let mut groups = link.groups.iter();
                groups.any(|&number| found.matches.numbered(number).0 == group)
            };
            let links = found.matches.links.iter();
            let mut links = links.filter(|link| !link.plain && self.is_there(link.connection));
            let hub = links.find(has_group).map(|link| link.connection);
            if let Some(key) = hub
                && !origin.hub
            {
                let errand = Errand {
                    origin,
                    hops: MOST_HOPS,
                    asker: &asker,
                    group: Some(group),
                };
                if key.worker() != self.index {
                    self.post(local, &buffer, &message, Target::hub(key), errand);
                    return;
                }
                if self.deliver_to_hub(local, &buffer, &message, origin, key, Some(group)) {
                    asker.succeeded();
                    return;
                }
            }
        }
        if asker.failed() {
            let reply = message.reply.of(&buffer);
            if origin.key.worker() == self.index {
                self.nobody_answers(local, cache, origin.key, reply);
            } else {
                let peer = &self.shared.workers[origin.key.worker()];
                peer.mailbox
                    .send(Mail::NoResponders(origin.key, reply.into()));
            }
        }
    }

    /// Sends status 503 for a request without responders.
    #[cold]
    pub(crate) fn nobody_answers(
        &self,
        local: &mut Local,
        cache: &mut Cache,
        key: ConnectionKey,
        reply: &[u8],
    ) {
        let found = cache.find(reply, &self.shared.routes);
        let Some(client) = local.get(key) else {
            return;
        };
        let own = found.matches.plain.iter().find_map(|target| {
            let subscription = client.subscriptions.get(target.place)?;
            let is_own = target.connection == key && subscription.serial == target.serial;
            is_own.then_some(subscription)
        });
        if let Some(subscription) = own {
            let line = no_responders(reply, &subscription.sid);
            local.tell(key, &line);
        }
    }
}

/// Returns all elements, starting at a random one.
#[inline]
fn from_anywhere<'a>(
    random: &mut fastrand::Rng,
    members: &'a [Target],
) -> impl Iterator<Item = Target> + use<'a> {
    let start = if members.is_empty() {
        0
    } else {
        random.usize(..members.len())
    };
    let (before, after) = members.split_at(start);
    after.iter().chain(before).copied()
}

//! From what matches a message to the connections that get it, on whichever worker.
//!
//! A message for a connection of this worker goes to its output at once; those for
//! another worker are collected, and sent in one batch. What arrives for a member of a
//! queue group that has left goes on within the group; what arrives for nobody, and was
//! a request, is told to who asked.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::batch::{Asker, Attempts, Batch, Errand};
use super::cache::Cache;
use super::key::{ConnectionKey, Target};
use super::local::{Delivery, Local, Origin, share_from};
use super::mailbox::Mail;
use super::routes::{Link, Matches};
use super::shared::Shared;
use broker_protocol::{Message, no_responders};

/// How often a message is sent on to another worker for want of a member that is still
/// there. A member that leaves is known to have left at once, so that more than one
/// or two are very rare.
const MOST_HOPS: u8 = 100;

/// A message that found nobody where it was sent.
#[derive(Debug)]
struct Returned {
    buffer: Bytes,
    message: Message,
    origin: Origin,
    hops: u8,
    asker: Asker,
    group: Option<Arc<[u8]>>,
}

/// What a worker has for others.
#[derive(Debug)]
pub(crate) struct Dispatch {
    index: usize,
    shared: Arc<Shared>,
    /// Messages for each other worker.
    outgoing: Vec<Batch>,
    /// Messages whose targets were gone.
    returned: Vec<Returned>,
    /// Connections that publish too fast for somebody, and how long they are stalled.
    stalls: Vec<(ConnectionKey, Duration)>,
    /// The targets of a request on other workers, with their groups.
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

    /// Sends a message to all that match, one of each group.
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

    /// The same for a message from a hub: it goes to those groups alone that it is for, and
    /// to no hub.
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
        reason = "messages of hubs go this way too, which kept it from that"
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

    /// Sends a message to a member of a group.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "messages of hubs go this way too, which kept it from that"
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

    /// Sends a message to the hubs that want it: to each once, with the names of the groups
    /// there that get it, which are those without a member among the clients.
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

    /// Calls `with` with each hub that gets a message that matches, and the names of the
    /// groups that get it there, if any do.
    fn for_hubs(
        &mut self,
        matches: &Matches,
        mut with: impl FnMut(&mut Self, ConnectionKey, Option<&Arc<[u8]>>),
    ) {
        // One hub for each group, if several have members of it.
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

    /// Whether a hub is still there.
    fn is_there(&self, hub: ConnectionKey) -> bool {
        let remote = self.shared.hub.as_ref();
        remote.is_some_and(|remote| remote.is_connection(hub))
    }

    /// Delivers to a hub of this worker. Tells whether it got it.
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
                self.relieve(local, key, Some(origin), false);
                true
            }
            Delivery::Full => {
                self.relieve(local, key, Some(origin), true);
                matches!(deliver(local), Delivery::Accepted | Delivery::Crowded)
            }
        }
    }

    /// Puts a message into the batch for another worker.
    // Called from several places, and long: copies of it would be of no use.
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

    /// Delivers to a connection of this worker. Tells whether somebody got it.
    // Called from several places, and long: copies of it would be of no use.
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
                self.relieve(local, target.connection, Some(origin), false);
                true
            }
            Delivery::Full => {
                self.relieve(local, target.connection, Some(origin), true);
                match local.deliver(buffer, message, origin, target, share_from) {
                    Delivery::Accepted | Delivery::Crowded => true,
                    Delivery::Full | Delivery::Refused => false,
                }
            }
        }
    }

    /// Makes room where much waits, see [`Local::relieve`], and stalls who published it.
    #[cold]
    pub(crate) fn relieve(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
        origin: Option<Origin>,
        needed: bool,
    ) {
        // Where nothing can be written, nothing has to come before.
        if !local.is_blocked(key) {
            self.send_batches(local);
        }
        if let Some(stall) = local.relieve(key, needed)
            && let Some(origin) = origin
        {
            self.stall(origin.key, stall);
        }
    }

    fn stall(&mut self, key: ConnectionKey, stall: Duration) {
        match self.stalls.last_mut() {
            Some((last, longest)) if *last == key => *longest = stall.max(*longest),
            _ => self.stalls.push((key, stall)),
        }
    }

    /// Takes the stalls of connections of this worker; others are told to their workers.
    pub(crate) fn take_stalls(&mut self, mut with: impl FnMut(ConnectionKey, Duration)) {
        for (key, stall) in self.stalls.drain(..) {
            if key.worker() == self.index {
                with(key, stall);
            } else {
                let peer = &self.shared.workers[key.worker()];
                peer.mailbox.send(Mail::Stall(key, stall));
            }
        }
    }

    /// The same as [`Dispatch::publish`] for a message whose publisher wants to know if
    /// nobody gets it. Tells whether that is so already.
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

    /// Sends what other workers are to deliver.
    ///
    /// It comes before anything is written: a client that has its PONG may tell
    /// others that what it published before is on its way.
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

    /// Sends what other workers are to deliver, until nothing has come back from it.
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

    /// Delivers for another worker if that has nothing to do: sooner than it would
    /// be awake. Tells whether it is done.
    ///
    /// The other is only tried to be locked, as it may be standing in for this one.
    /// While it is, it takes no mail: an empty mailbox means that all which was
    /// sent before has been delivered.
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

    /// Delivers what another worker has sent, or what this one has for another.
    pub(crate) fn arrive(&mut self, local: &mut Local, batch: &Batch) {
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
                if let Some(stall) = local.relieve(target.connection, full) {
                    self.stall(origin.key, stall);
                }
                if full {
                    delivery = deliver(local);
                }
            }
            match delivery {
                Delivery::Accepted | Delivery::Crowded => errand.asker.succeeded(),
                // A message for one subscription is of no use to anybody else.
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

    /// Sends a message on whose target was gone: to another member of its group, here
    /// if there is one, else to another worker.
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
            // A hub that has got the message for others would give it to them again.
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

    /// Answers a request in the place of those who are not there.
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

/// All of them, starting anywhere.
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

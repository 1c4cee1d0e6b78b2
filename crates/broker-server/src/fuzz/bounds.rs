//! Checks invariants that hold for every order of mail and frames.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Command, Entry, History, Options, is_literal, is_match, is_valid};
use super::stream::Event;

/// A point in time of a subscription.
#[derive(Debug, Clone, Copy)]
struct Moment {
    time: usize,
    epoch: usize,
    /// Messages before this time had reached the subscription.
    arrived: usize,
}

impl Moment {
    fn of(time: usize, entry: &Entry) -> Self {
        Self {
            time,
            epoch: entry.epoch,
            arrived: entry.arrived,
        }
    }
}

#[derive(Debug)]
struct Subscription<'h> {
    client: usize,
    sid: u32,
    pattern: &'h str,
    group: Option<&'static str>,
    begin: Moment,
    end: Option<Moment>,
    /// The numbers of messages after which it was to end.
    limits: Vec<(Moment, u64)>,
    /// The total number of messages that it got.
    total: u64,
}

#[derive(Debug)]
struct Published {
    client: usize,
    at: Moment,
    echo: bool,
    is_request: bool,
}

impl Subscription<'_> {
    /// Returns whether the subscription existed when a message was published, unless it had reached
    /// its limit.
    fn is_there(&self, published: &Published) -> bool {
        let time = published.at.time;
        self.begin.time < time && self.end.is_none_or(|end| time < end.time)
    }

    fn may_get(&self, published: &Published, subject: &str) -> bool {
        (published.echo || self.client != published.client) && is_match(self.pattern, subject)
    }

    /// Same as `is_there` for the routes, which keep a departed client's subscriptions for a while.
    fn was_routed(&self, published: &Published) -> bool {
        let Moment { time, epoch, .. } = published.at;
        self.begin.time < time && self.end.is_none_or(|end| epoch <= end.epoch)
    }

    /// Returns whether the subscription did not end by reaching a limit.
    fn is_below_limits(&self) -> bool {
        self.limits.iter().all(|&(_, limit)| self.total < limit)
    }

    /// Returns whether the subscription existed during the message's whole delivery.
    fn is_stable(&self, published: &Published) -> bool {
        let later = |moment: Moment| moment.epoch > published.at.epoch;
        self.is_there(published)
            && self.end.is_none_or(later)
            && (self.is_below_limits() || self.limits.iter().all(|&(moment, _)| later(moment)))
    }

    /// Returns whether the subscription must have got the message even if it was not stable.
    /// Messages from its own worker arrive at once.
    fn must_have_got(&self, published: &Published, same_worker: bool) -> bool {
        let time = published.at.time;
        let before = |moment: Moment| time < moment.time && (same_worker || time < moment.arrived);
        self.is_there(published)
            && self.end.is_none_or(before)
            && (self.is_below_limits() || before(self.limits[0].0))
    }
}

struct Model<'h> {
    history: &'h History,
    subscriptions: Vec<Subscription<'h>>,
    published: BTreeMap<usize, Published>,
    /// The other lines that each client must get, and when.
    lines: Vec<Vec<(usize, &'static str)>>,
}

pub(super) fn check(history: &History, streams: &[Vec<Event>]) -> Result<(), String> {
    let mut model = Model::new(history);
    let mut got = BTreeMap::<usize, Vec<usize>>::new();
    let mut told = BTreeSet::new();
    for (client, events) in streams.iter().enumerate() {
        let walked = model.walk(client, events, &mut got, &mut told);
        walked.map_err(|error| format!("client {client}: {error}"))?;
    }
    for (&number, published) in &model.published {
        let got = got.get(&number).map(Vec::as_slice).unwrap_or_default();
        let checked = model
            .check_plain(number, published, got)
            .and_then(|()| model.check_groups(number, published, got))
            .and_then(|()| model.check_answer(number, published, got, told.contains(&number)));
        checked.map_err(|error| format!("message {number}: {error}"))?;
    }
    Ok(())
}

impl<'h> Model<'h> {
    fn new(history: &'h History) -> Self {
        let mut model = Self {
            history,
            subscriptions: Vec::new(),
            published: BTreeMap::new(),
            lines: vec![Vec::new(); history.clients.len()],
        };
        let mut options = vec![None; history.clients.len()];
        for (time, entry) in history.entries.iter().enumerate() {
            model.carry_out(time, entry, &mut options[entry.client]);
        }
        model
    }

    /// Returns the index of a subscription, even an ended one.
    fn position(&self, client: usize, sid: u32) -> Option<usize> {
        let is = |one: &Subscription<'_>| (one.client, one.sid) == (client, sid);
        self.subscriptions.iter().position(is)
    }

    fn carry_out(&mut self, time: usize, entry: &'h Entry, options: &mut Option<Options>) {
        let (client, moment) = (entry.client, Moment::of(time, entry));
        let mut confirmed = true;
        let mut line = |line| self.lines[client].push((time, line));
        match &entry.command {
            Command::Connect(new) => *options = Some(*new),
            Command::Subscribe {
                sid,
                pattern,
                group,
            } => {
                if self.position(client, *sid).is_none() {
                    if is_valid(pattern) {
                        self.subscriptions.push(Subscription {
                            client,
                            sid: *sid,
                            pattern,
                            group: *group,
                            begin: moment,
                            end: None,
                            limits: Vec::new(),
                            total: 0,
                        });
                    } else {
                        self.lines[client].push((time, "-ERR 'Invalid Subject'"));
                        confirmed = false;
                    }
                }
            }
            Command::Unsubscribe { sid, max } => {
                if let Some(position) = self.position(client, *sid) {
                    let one = &mut self.subscriptions[position];
                    match max {
                        Some(max @ 1..) => one.limits.push((moment, *max)),
                        _ => one.end = one.end.or(Some(moment)),
                    }
                }
            }
            Command::Publish(number) => {
                let options = options.expect("CONNECT comes first");
                let message = &self.history.messages[*number];
                if options.pedantic && !is_literal(&message.subject) {
                    line("-ERR 'Invalid Publish Subject'");
                }
                let published = Published {
                    client,
                    at: moment,
                    echo: options.echo,
                    is_request: options.no_responders && message.reply.is_some(),
                };
                self.published.insert(*number, published);
            }
            Command::Ping => {
                line("PONG");
                confirmed = false;
            }
            Command::Break(told) => {
                told.map(line);
                confirmed = false;
            }
            Command::Leave => {
                let own = self.subscriptions.iter_mut();
                for one in own.filter(|one| one.client == client) {
                    one.end = one.end.or(Some(moment));
                }
                confirmed = false;
            }
        }
        if confirmed && options.is_some_and(|options| options.verbose) {
            self.lines[client].push((time, "+OK"));
        }
    }

    /// Checks a client's output in order.
    fn walk(
        &mut self,
        client: usize,
        events: &[Event],
        got: &mut BTreeMap<usize, Vec<usize>>,
        told: &mut BTreeSet<usize>,
    ) -> Result<(), String> {
        let expected = std::mem::take(&mut self.lines[client]);
        let mut expected = expected.into_iter().peekable();
        // Commands up to `passed` were executed before the following output was sent, and those
        // after `open` were not.
        let mut passed = None;
        let mut open = expected.peek().map(|&(time, _)| time);
        // Per subscription: whether it has reached its limit, and the last message from each
        // client.
        let mut done = BTreeSet::new();
        let mut last = BTreeMap::new();
        for event in events {
            match event {
                Event::Line(line) => {
                    match expected.next() {
                        Some((time, next)) if next == line => {
                            self.pass(client, passed, time, &mut done);
                            passed = Some(time);
                        }
                        other => return Err(format!("{line} came for {other:?}")),
                    }
                    open = expected.peek().map(|&(time, _)| time);
                }
                &Event::Message { number, sid } => {
                    let (index, is_last) = self.receive(client, number, sid, (passed, open))?;
                    if !done.is_empty() && done.contains(&index) {
                        return Err(format!("{number} came to {sid}, which had ended"));
                    }
                    if is_last {
                        done.insert(index);
                    }
                    let all = got.entry(number).or_default();
                    if all.contains(&index) {
                        return Err(format!("{number} came twice to {sid}"));
                    }
                    all.push(index);
                    let from = self.published[&number].client;
                    let before = last.insert((index, from), number);
                    let is_plain = self.subscriptions[index].group.is_none();
                    if is_plain && before.is_some_and(|before| before > number) {
                        return Err(format!("{number} came to {sid} after {before:?}"));
                    }
                }
                &Event::NobodyGot { number, sid } => {
                    self.check_told(client, number, sid)?;
                    if !told.insert(number) {
                        return Err(format!("it was told of {number} twice"));
                    }
                }
            }
        }
        match expected.next() {
            None => Ok(()),
            missing => Err(format!("{missing:?} did not come")),
        }
    }

    /// Commands up to `to` were executed: records the subscriptions that have reached their limit.
    fn pass(&self, client: usize, from: Option<usize>, to: usize, done: &mut BTreeSet<usize>) {
        let own = self.subscriptions.iter().enumerate();
        for (index, one) in own.filter(|(_, one)| one.client == client) {
            let is_new = |time| Some(time) > from && time <= to;
            let new = one.limits.iter().filter(|(moment, _)| is_new(moment.time));
            let limit = new.map(|&(_, limit)| limit).max();
            if limit.is_some_and(|limit| one.total >= limit)
                || one.end.is_some_and(|end| is_new(end.time))
            {
                done.insert(index);
            }
        }
    }

    /// Records a message for a subscription. Returns the subscription's index, and whether the
    /// message must have been its last.
    fn receive(
        &mut self,
        client: usize,
        number: usize,
        sid: u32,
        (passed, open): (Option<usize>, Option<usize>),
    ) -> Result<(usize, bool), String> {
        let message = &self.history.messages[number];
        let published = self.published.get(&number);
        let published = published.ok_or_else(|| format!("{number} was not published"))?;
        let index = self.position(client, sid);
        let index = index.ok_or_else(|| format!("{number} came to {sid}, which never was"))?;
        let one = &self.subscriptions[index];
        let wrong = || Err(format!("{number} came to {sid}: {published:?} {one:?}"));
        if !one.may_get(published, &message.subject) {
            return wrong();
        }
        // The client may have joined the group while the message was on its way to another member.
        let is_late = one.group.is_some()
            && one.begin.time > published.at.time
            && one.begin.epoch == published.at.epoch;
        if !is_late && !one.is_there(published) {
            return wrong();
        }
        // The limits that may apply: the last one that was certainly set, and later ones.
        let is_set = |time: usize| passed.is_some_and(|passed| time <= passed);
        let is_open = |time: usize| open.is_none_or(|open| time <= open);
        let times = || {
            one.limits
                .iter()
                .map(|&(moment, limit)| (moment.time, limit))
        };
        let set = times().rfind(|&(time, _)| is_set(time));
        let limit = set.map(|(_, set)| {
            let open = times().filter(|&(time, _)| !is_set(time) && is_open(time));
            open.map(|(_, limit)| limit).fold(set, u64::max)
        });
        if limit.is_some_and(|limit| one.total >= limit) {
            return wrong();
        }
        let one = &mut self.subscriptions[index];
        one.total += 1;
        Ok((index, limit.is_some_and(|limit| one.total >= limit)))
    }

    fn check_plain(
        &self,
        number: usize,
        published: &Published,
        got: &[usize],
    ) -> Result<(), String> {
        let subject = &self.history.messages[number].subject;
        let worker = |client: usize| self.history.clients[client].0;
        for (index, one) in self.subscriptions.iter().enumerate() {
            let same_worker = worker(one.client) == worker(published.client);
            if one.group.is_none()
                && one.may_get(published, subject)
                && one.must_have_got(published, same_worker)
                && !got.contains(&index)
            {
                return Err(format!("{published:?} did not come to {one:?}"));
            }
        }
        Ok(())
    }

    fn check_groups(
        &self,
        number: usize,
        published: &Published,
        got: &[usize],
    ) -> Result<(), String> {
        let subject = &self.history.messages[number].subject;
        let groups: BTreeSet<_> = self.subscriptions.iter().map(|one| one.group).collect();
        for group in groups.into_iter().flatten() {
            let is_of = |one: &&Subscription<'_>| one.group == Some(group);
            let receivers = got.iter().map(|&index| &self.subscriptions[index]);
            let receivers: Vec<_> = receivers.filter(is_of).collect();
            let members = self.subscriptions.iter().filter(is_of);
            let members = members.filter(|one| one.may_get(published, subject));
            let members: Vec<_> = members.filter(|one| one.was_routed(published)).collect();
            let is_stable = |member: &&Subscription<'_>| member.is_stable(published);
            let must = members.iter().any(is_stable);
            let is_late = receivers.iter().any(|one| !one.is_there(published));
            if receivers.len() > 1
                || must && receivers.is_empty()
                || is_late && members.iter().all(is_stable)
            {
                return Err(format!(
                    "{published:?} of {members:?} came to {receivers:?}"
                ));
            }
        }
        Ok(())
    }

    /// Returns whether the client may get status 503 with this subscription's sid.
    fn check_told(&self, client: usize, number: usize, sid: u32) -> Result<(), String> {
        let reply = self.history.messages[number].reply.as_deref();
        let wrong = || Err(format!("it was told of {number} by {sid}"));
        let Some(published) = self.published.get(&number) else {
            return wrong();
        };
        let Some(index) = self.position(client, sid) else {
            return wrong();
        };
        let one = &self.subscriptions[index];
        if !published.is_request
            || published.client != client
            || one.group.is_some()
            || !is_match(one.pattern, reply.unwrap_or_default())
            || one.begin.epoch > published.at.epoch
            || one.end.is_some_and(|end| end.time < published.at.time)
        {
            return wrong();
        }
        Ok(())
    }

    fn check_answer(
        &self,
        number: usize,
        published: &Published,
        got: &[usize],
        told: bool,
    ) -> Result<(), String> {
        let reply = self.history.messages[number].reply.as_deref();
        let own = self.subscriptions.iter().filter(|one| {
            one.client == published.client
                && one.group.is_none()
                && is_match(one.pattern, reply.unwrap_or_default())
        });
        let can_be_told = own.into_iter().any(|one| one.is_stable(published));
        if told && !got.is_empty() {
            return Err(format!(
                "somebody got it, and {published:?} was told that nobody did"
            ));
        }
        if published.is_request && got.is_empty() && can_be_told && !told {
            return Err(format!("{published:?} was not told that nobody got it"));
        }
        Ok(())
    }
}

//! Checks the exact output if each frame is settled before the next one.

use std::collections::BTreeMap;

use super::history::{Command, History, Options, is_literal, is_match, is_valid};
use super::stream::Event;

/// An existing subscription.
struct Live<'h> {
    client: usize,
    sid: u32,
    pattern: &'h str,
    group: Option<&'static str>,
    delivered: u64,
    max: Option<u64>,
}

/// For each message number, the clients and sids that got it.
type Got = BTreeMap<usize, Vec<(usize, u32)>>;

pub(super) fn check(history: &History, streams: &[Vec<Event>]) -> Result<(), String> {
    let mut model = Model::new(history, streams);
    for (time, entry) in history.entries.iter().enumerate() {
        let carried_out = model.carry_out(entry.client, &entry.command);
        for line in carried_out.map_err(|error| format!("at {time}: {error}"))? {
            model.lines[entry.client].push((time, line));
        }
        if let Command::Publish(number) = entry.command {
            model.times.insert(number, time);
        }
    }
    for number in model.got.keys().chain(model.told.keys()) {
        if !model.times.contains_key(number) {
            return Err(format!("{number} was never published"));
        }
    }
    for (client, events) in streams.iter().enumerate() {
        let in_order = model.check_order(client, events);
        in_order.map_err(|error| format!("client {client}: {error}"))?;
    }
    Ok(())
}

struct Model<'h> {
    history: &'h History,
    options: Vec<Option<Options>>,
    live: Vec<Live<'h>>,
    got: Got,
    told: Got,
    /// The other lines that each client must get, and when.
    lines: Vec<Vec<(usize, &'static str)>>,
    /// When each message was published.
    times: BTreeMap<usize, usize>,
}

impl<'h> Model<'h> {
    fn new(history: &'h History, streams: &[Vec<Event>]) -> Self {
        let (mut got, mut told) = (Got::new(), Got::new());
        for (client, events) in streams.iter().enumerate() {
            for event in events {
                match *event {
                    Event::Message { number, sid } => {
                        got.entry(number).or_default().push((client, sid));
                    }
                    Event::NobodyGot { number, sid } => {
                        told.entry(number).or_default().push((client, sid));
                    }
                    Event::Line(_) => {}
                }
            }
        }
        Self {
            history,
            options: vec![None; history.clients.len()],
            live: Vec::new(),
            got,
            told,
            lines: vec![Vec::new(); history.clients.len()],
            times: BTreeMap::new(),
        }
    }

    fn position(&self, client: usize, sid: u32) -> Option<usize> {
        let is = |live: &Live<'_>| (live.client, live.sid) == (client, sid);
        self.live.iter().position(is)
    }

    /// Executes a command. Returns the lines of its answer.
    fn carry_out(
        &mut self,
        client: usize,
        command: &'h Command,
    ) -> Result<Vec<&'static str>, String> {
        let mut lines = Vec::new();
        match command {
            Command::Connect(options) => self.options[client] = Some(*options),
            Command::Subscribe {
                sid,
                pattern,
                group,
            } => {
                if self.position(client, *sid).is_none() {
                    if !is_valid(pattern) {
                        return Ok(vec!["-ERR 'Invalid Subject'"]);
                    }
                    self.live.push(Live {
                        client,
                        sid: *sid,
                        pattern,
                        group: *group,
                        delivered: 0,
                        max: None,
                    });
                }
            }
            Command::Unsubscribe { sid, max } => {
                if let Some(position) = self.position(client, *sid) {
                    match *max {
                        Some(max) if max > self.live[position].delivered => {
                            self.live[position].max = Some(max);
                        }
                        _ => drop(self.live.remove(position)),
                    }
                }
            }
            Command::Publish(number) => {
                let pedantic = self.options[client].is_some_and(|options| options.pedantic);
                if pedantic && !is_literal(&self.history.messages[*number].subject) {
                    lines.push("-ERR 'Invalid Publish Subject'");
                }
                self.publish(client, *number)?;
            }
            Command::Ping => return Ok(vec!["PONG"]),
            Command::Break(told) => return Ok(told.iter().copied().collect()),
            Command::Leave => {
                self.live.retain(|live| live.client != client);
                return Ok(lines);
            }
        }
        if self.options[client].is_some_and(|options| options.verbose) {
            lines.push("+OK");
        }
        Ok(lines)
    }

    fn publish(&mut self, client: usize, number: usize) -> Result<(), String> {
        let message = &self.history.messages[number];
        let options = self.options[client].ok_or("it has not connected")?;
        let eligible = |live: &&Live<'_>| {
            (live.client != client || options.echo) && is_match(live.pattern, &message.subject)
        };
        let name = |live: &Live<'_>| (live.client, live.sid);
        let mut got = self.got.get(&number).cloned().unwrap_or_default();
        let is_request = options.no_responders && message.reply.is_some();
        let nobody = got.is_empty();
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        let mut receivers = Vec::new();
        for live in self.live.iter().filter(eligible) {
            match live.group {
                None => receivers.push(name(live)),
                Some(group) => groups.entry(group).or_default().push(name(live)),
            }
        }
        for &receiver in &receivers {
            let found = got.iter().position(|&other| other == receiver);
            got.swap_remove(found.ok_or_else(|| format!("{receiver:?} did not get {number}"))?);
        }
        for (group, members) in groups {
            let found = got.iter().position(|other| members.contains(other));
            let found = found.ok_or_else(|| format!("nobody of {group} got {number}"))?;
            receivers.push(got.swap_remove(found));
        }
        if !got.is_empty() {
            return Err(format!("{got:?} should not have got {number}"));
        }
        for (client, sid) in receivers {
            if let Some(position) = self.position(client, sid) {
                let live = &mut self.live[position];
                live.delivered += 1;
                if live.max.is_some_and(|max| live.delivered >= max) {
                    self.live.remove(position);
                }
            }
        }

        let told = self.told.get(&number).cloned().unwrap_or_default();
        let reply = message.reply.as_deref().unwrap_or_default();
        let own = self.live.iter().filter(|live| {
            live.client == client && live.group.is_none() && is_match(live.pattern, reply)
        });
        let own: Vec<_> = own.map(name).collect();
        let should = usize::from(is_request && nobody && !own.is_empty());
        if told.len() != should || told.iter().any(|told| !own.contains(told)) {
            return Err(format!("{told:?} were told of {number}"));
        }
        Ok(())
    }

    /// Checks that a client's output is in the order of its causes.
    fn check_order(&self, client: usize, events: &[Event]) -> Result<(), String> {
        let mut lines = self.lines[client].iter();
        let mut now = 0;
        for event in events {
            let time = match event {
                Event::Message { number, .. } | Event::NobodyGot { number, .. } => {
                    self.times[number]
                }
                Event::Line(line) => match lines.next() {
                    Some(&(time, expected)) if expected == line => time,
                    other => return Err(format!("{line} came for {other:?}")),
                },
            };
            if time < now {
                return Err(format!("{event:?} of {time} came after {now}"));
            }
            now = time;
        }
        match lines.next() {
            None => Ok(()),
            missing => Err(format!("{missing:?} did not come")),
        }
    }
}

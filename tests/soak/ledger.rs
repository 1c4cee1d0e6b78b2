//! Published messages and their receivers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::message::TOPICS;
use crate::once::{Once, Seen};

/// Steady publishers.
pub(crate) const PUBLISHERS: usize = 4;

/// The messages that a steady reader subscribes to.
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    topic: Option<u64>,
    publisher: Option<usize>,
}

impl Pattern {
    const fn new(text: &'static str, topic: Option<u64>, publisher: Option<usize>) -> Self {
        Self {
            text,
            topic,
            publisher,
        }
    }

    fn wants(&self, publisher: usize, number: u64) -> bool {
        self.topic.is_none_or(|topic| topic == number % TOPICS)
            && self.publisher.is_none_or(|wanted| wanted == publisher)
    }

    /// Returns the publisher's first wanted number from `from` on.
    fn next(&self, publisher: usize, from: u64) -> Option<u64> {
        (from..from + TOPICS).find(|number| self.wants(publisher, *number))
    }
}

/// The steady readers' patterns. A server alternates connections between its workers, so of two
/// workers each has half of the readers.
pub(crate) const READERS: [Pattern; 6] = [
    Pattern::new("work.>", None, None),
    Pattern::new("work.*.*", None, None),
    Pattern::new("work.1.*", Some(1), None),
    Pattern::new("work.*.2", None, Some(2)),
    Pattern::new("work.3.1", Some(3), Some(1)),
    Pattern::new("*.0.>", Some(0), None),
];

/// A queue group over all messages. Each has two steady readers as members.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// A member may die with messages that the server has sent to it.
    is_lossy: bool,
    seen: [Mutex<Seen>; PUBLISHERS],
}

impl Group {
    fn new(name: &'static str, is_lossy: bool) -> Self {
        Self {
            name,
            is_lossy,
            seen: Default::default(),
        }
    }

    /// A member got this message.
    pub(crate) fn came(&self, publisher: usize, number: u64) -> Result<(), String> {
        let mut seen = self.seen[publisher].lock().expect("no panic with the lock");
        if seen.insert(number) {
            return Ok(());
        }
        let name = self.name;
        Err(format!(
            "{name} got {number} of publisher {publisher} twice"
        ))
    }

    fn count(&self, publisher: usize) -> u64 {
        let seen = self.seen[publisher].lock();
        seen.expect("no panic with the lock").count
    }
}

/// All counts.
pub(crate) struct Ledger {
    /// Number of messages that each publisher has published.
    published: [AtomicU64; PUBLISHERS],
    /// The next number that each reader expects of each publisher.
    awaited: [[AtomicU64; PUBLISHERS]; READERS.len()],
    delivered: AtomicU64,
    /// One group with steady readers only, one with visitors that drain, one with visitors that
    /// die.
    pub(crate) groups: [Group; 3],
    /// Requests to visitors, each answered or refused at most once.
    pub(crate) hopes: Once,
    /// Messages that visitors publish right before they leave.
    pub(crate) farewells: Once,
}

/// Indices of the groups.
pub(crate) const DRAINERS: usize = 1;
pub(crate) const MORTALS: usize = 2;

impl Ledger {
    pub(crate) fn new() -> Self {
        let ledger = Self {
            published: Default::default(),
            awaited: Default::default(),
            delivered: AtomicU64::new(0),
            groups: [
                Group::new("keepers", false),
                Group::new("drainers", false),
                Group::new("mortals", true),
            ],
            hopes: Once::new("an answer"),
            farewells: Once::new("a farewell"),
        };
        for (pattern, awaited) in READERS.iter().zip(&ledger.awaited) {
            for (publisher, awaited) in awaited.iter().enumerate() {
                let first = pattern.next(publisher, 0).unwrap_or(u64::MAX);
                awaited.store(first, Ordering::Relaxed);
            }
        }
        ledger
    }

    /// A reader got this message through its pattern.
    pub(crate) fn came(&self, reader: usize, publisher: usize, number: u64) -> Result<(), String> {
        let (pattern, awaited) = (&READERS[reader], &self.awaited[reader][publisher]);
        let expected = awaited.load(Ordering::Relaxed);
        if expected != number {
            let text = pattern.text;
            return Err(format!(
                "{text} got {number} of publisher {publisher}, not {expected}"
            ));
        }
        let next = pattern.next(publisher, number + 1).unwrap_or(u64::MAX);
        awaited.store(next, Ordering::Relaxed);
        self.delivered.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn publish(&self, publisher: usize, count: u64) {
        self.published[publisher].fetch_add(count, Ordering::Relaxed);
    }

    /// Describes a publisher's messages that some receiver has not got, if they are more than
    /// `most`.
    pub(crate) fn missing(&self, publisher: usize, most: u64) -> Option<String> {
        let issued = self.published[publisher].load(Ordering::Relaxed);
        for (pattern, awaited) in READERS.iter().zip(&self.awaited) {
            let awaited = awaited[publisher].load(Ordering::Relaxed);
            if awaited.saturating_add(most) < issued {
                let text = pattern.text;
                return Some(format!(
                    "{text} awaits {awaited} of {issued} of publisher {publisher}"
                ));
            }
        }
        for group in self.groups.iter().filter(|group| !group.is_lossy) {
            let (name, count) = (group.name, group.count(publisher));
            if count + most < issued {
                return Some(format!(
                    "{name} got {count} of {issued} of publisher {publisher}"
                ));
            }
        }
        None
    }

    /// Returns the numbers of messages published, delivered to plain subscriptions, and to each
    /// group.
    pub(crate) fn sums(&self) -> (u64, u64, [u64; 3]) {
        let published = self.published.iter().map(|it| it.load(Ordering::Relaxed));
        let delivered = self.delivered.load(Ordering::Relaxed);
        let of_group = |group: &Group| (0..PUBLISHERS).map(|index| group.count(index)).sum();
        let groups = self.groups.each_ref().map(of_group);
        (published.sum(), delivered, groups)
    }
}

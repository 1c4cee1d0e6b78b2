//! Batches of messages from one worker to another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

use super::key::Target;
use super::local::Origin;
use broker_protocol::Message;

/// The least number of deliveries for which a sleeping worker is woken: the sender delivers fewer
/// sooner than the other worker wakes up.
const WORTH_WAKING: usize = 16;

/// The same in bytes, as [`Batch::bytes`] counts them.
const WORTH_WAKING_BYTES: usize = 16 * 1024;

/// No group: the message is for one subscription only.
const NO_GROUP: u32 = u32::MAX;

/// Whether the publisher needs to know that no subscriber got a message.
#[derive(Debug, Clone)]
pub(crate) enum Asker {
    /// The publisher does not, or a subscriber has got the message.
    Nobody,
    /// The publisher does, and no other subscriber may get the message.
    Alone,
    /// The publisher does, and other subscribers may get the message too.
    Among(Arc<Attempts>),
}

impl Asker {
    /// A subscriber got the message.
    pub(crate) fn succeeded(&self) {
        if let Self::Among(attempts) = self {
            attempts.0.fetch_or(Attempts::SUCCESS, Ordering::Relaxed);
        }
    }

    /// One possible receiver did not get the message. Returns whether the publisher must be
    /// informed that none did.
    pub(crate) fn failed(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Alone => true,
            // The last failure sees the results of all others.
            Self::Among(attempts) => attempts.0.fetch_sub(1, Ordering::AcqRel) == 1,
        }
    }
}

/// The number of possible receivers left, while none has got the message.
#[derive(Debug)]
pub(crate) struct Attempts(AtomicU32);

impl Attempts {
    /// Set once a subscriber has got the message; the number is never 0 after that.
    const SUCCESS: u32 = 1 << 31;

    pub(crate) fn new(count: u32) -> Arc<Self> {
        Arc::new(Self(AtomicU32::new(count)))
    }
}

/// How a message is delivered to a subscription.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) origin: Origin,
    /// How often the message was forwarded because its target was gone.
    pub(crate) hops: u8,
    pub(crate) asker: &'a Asker,
    /// The queue group in which the message is forwarded if its target is gone.
    pub(crate) group: Option<&'a Arc<[u8]>>,
}

/// A message and its targets.
#[derive(Debug)]
struct Entry {
    /// Index of the buffer that contains the message.
    buffer: u32,
    message: Message,
    origin: Origin,
    hops: u8,
    /// 0 for none, 1 for the publisher alone, else 2 plus the index of the attempts.
    asker: u32,
    /// End of the targets; they start at the end of the previous entry's.
    targets: u32,
}

/// The messages from one worker to another after one round.
///
/// The messages stay in the buffers that they were read into: a batch holds one reference to each
/// buffer, however many of the buffer's messages it contains. The same holds for group names.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    buffers: Vec<Bytes>,
    groups: Vec<Arc<[u8]>>,
    attempts: Vec<Arc<Attempts>>,
    entries: Vec<Entry>,
    /// The targets, with the indexes of their groups.
    targets: Vec<(Target, u32)>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns whether delivering the batch takes less time than waking up another worker.
    pub(crate) fn is_small(&self) -> bool {
        self.targets.len() < WORTH_WAKING && self.bytes < WORTH_WAKING_BYTES
    }

    /// Empties the batch for the next round.
    pub(crate) fn clear(&mut self) {
        self.buffers.clear();
        self.groups.clear();
        self.attempts.clear();
        self.entries.clear();
        self.targets.clear();
        self.bytes = 0;
    }

    /// Returns the bytes that count against the limit on a worker's pending messages.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a message for a target; all targets of a message must be added before the next message.
    /// Returns by how many bytes the batch grew.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a batch has far fewer than four billion entries of any kind"
    )]
    #[allow(
        clippy::inline_always,
        reason = "otherwise the message would be written to memory and read again"
    )]
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        target: &Target,
        errand: Errand<'_>,
    ) -> usize {
        let before = self.bytes;
        let known = self.buffers.last();
        if known.is_none_or(|last| last.as_ptr() != buffer.as_ptr()) {
            self.buffers.push(buffer.clone());
        }
        let group = match errand.group {
            None => NO_GROUP,
            Some(name) => self.group(name),
        };
        self.targets.push((*target, group));
        let (buffer, targets) = (self.buffers.len() as u32 - 1, self.targets.len() as u32);
        let per_target = size_of::<(Target, u32)>() + size_of::<Entry>();
        match self.entries.last_mut() {
            // Messages in one buffer differ by where they start.
            Some(last) if last.buffer == buffer && last.message.tail == message.tail => {
                last.targets = targets;
                self.bytes += per_target;
            }
            _ => {
                let asker = match errand.asker {
                    Asker::Nobody => 0,
                    Asker::Alone => 1,
                    Asker::Among(attempts) => {
                        self.attempts.push(Arc::clone(attempts));
                        self.attempts.len() as u32 + 1
                    }
                };
                self.bytes += per_target + message.body.len();
                self.entries.push(Entry {
                    buffer,
                    message: *message,
                    origin: errand.origin,
                    hops: errand.hops,
                    asker,
                    targets,
                });
            }
        }
        self.bytes - before
    }

    #[allow(clippy::cast_possible_truncation, reason = "as above")]
    fn group(&mut self, name: &Arc<[u8]>) -> u32 {
        let known = self.groups.last();
        if known.is_none_or(|last| !Arc::ptr_eq(last, name)) {
            self.groups.push(Arc::clone(name));
        }
        self.groups.len() as u32 - 1
    }

    /// Calls `deliver` with each message and each of its targets in order, and the number of the
    /// message's targets in this batch.
    #[inline]
    pub(crate) fn deliver(
        &self,
        mut deliver: impl FnMut(&Bytes, &Message, Target, Errand<'_>, usize),
    ) {
        let mut start = 0;
        for entry in &self.entries {
            let asker = match entry.asker {
                0 => Asker::Nobody,
                1 => Asker::Alone,
                attempts => Asker::Among(Arc::clone(&self.attempts[attempts as usize - 2])),
            };
            let buffer = &self.buffers[entry.buffer as usize];
            let targets = &self.targets[start..entry.targets as usize];
            for &(target, group) in targets {
                let errand = Errand {
                    origin: entry.origin,
                    hops: entry.hops,
                    asker: &asker,
                    group: self.groups.get(group as usize),
                };
                deliver(buffer, &entry.message, target, errand, targets.len());
            }
            start = entry.targets as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::ConnectionKey;
    use super::*;
    use broker_protocol::Span;

    #[test]
    fn messages_leave_a_batch_unchanged() {
        let span = |start, end| Span::new(start, end);
        let message = |start| Message {
            subject: span(start, start + 1),
            reply: Span::default(),
            tail: span(start + 2, start + 6),
            body: span(start + 4, start + 6),
            headers: 0,
        };
        let target = |serial| Target {
            connection: ConnectionKey::new(1, 2, 3),
            place: 4,
            serial,
        };
        let buffer = Bytes::from(vec![b'x'; 100]);
        let groups: [Arc<[u8]>; 2] = [b"g"[..].into(), b"h"[..].into()];
        let origin = Origin {
            key: ConnectionKey::new(0, 1, 2),
            echo: true,
            hub: false,
        };
        let attempts = Asker::Among(Attempts::new(2));
        let mut batch = Batch::default();
        let added = [
            (0, 1, None, &Asker::Nobody),
            (0, 2, Some(&groups[0]), &Asker::Nobody),
            (0, 3, Some(&groups[1]), &Asker::Nobody),
            (10, 4, Some(&groups[1]), &attempts),
            (20, 5, None, &Asker::Alone),
        ];
        for (start, serial, group, asker) in added {
            let errand = Errand {
                origin,
                hops: 7,
                asker,
                group,
            };
            assert!(batch.add(&buffer, &message(start), &target(serial), errand) > 0);
        }
        let mut index = 0;
        batch.deliver(|_, message, target, errand, count| {
            let (start, serial, group, asker) = added[index];
            assert_eq!(message.subject.start(), start);
            assert_eq!(target.serial, serial);
            assert_eq!(errand.group, group);
            assert_eq!((errand.origin, errand.hops), (origin, 7));
            assert_eq!(count, if start == 0 { 3 } else { 1 });
            let kind = std::mem::discriminant::<Asker>;
            assert_eq!(kind(errand.asker), kind(asker));
            index += 1;
        });
        assert_eq!(index, added.len());
        assert_eq!(batch.buffers.len(), 1);
        batch.clear();
        assert!(batch.is_empty() && batch.bytes() == 0);
    }

    #[test]
    fn the_last_failure_informs_the_publisher_if_all_failed() {
        let asker = Asker::Among(Attempts::new(3));
        assert!(!asker.failed() && !asker.failed() && asker.failed());
        let asker = Asker::Among(Attempts::new(3));
        assert!(!asker.failed());
        asker.succeeded();
        assert!(!asker.failed());
        assert!(Asker::Alone.failed() && !Asker::Nobody.failed());
    }
}

//! Messages on their way from one worker to another.

use bytes::Bytes;

use super::routes::Target;
use crate::protocol::Message;

/// Deliveries that are worth waking up another worker for: fewer are done sooner
/// than it is awake.
const WORTH_WAKING: usize = 16;

/// The same in bytes, as [`Batch::bytes`] counts them.
const WORTH_WAKING_BYTES: usize = 16 * 1024;

/// The connection that published, for its worker to find it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) slot: u32,
    pub(crate) client: u32,
}

/// One message with those it goes to.
#[derive(Debug)]
struct Entry {
    /// Index of the buffer that it lies in.
    buffer: usize,
    message: Message,
    producer: Producer,
    /// Where its targets end; they start where those of the entry before end.
    targets: usize,
}

/// What one worker has for another after one round.
///
/// The messages stay where they were read: each buffer is counted once for the
/// whole batch, however many messages lie in it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    buffers: Vec<Bytes>,
    entries: Vec<Entry>,
    targets: Vec<Target>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it is done sooner than another worker is awake.
    pub(crate) fn is_small(&self) -> bool {
        self.targets.len() < WORTH_WAKING && self.bytes < WORTH_WAKING_BYTES
    }

    /// Makes it empty, for the next round.
    pub(crate) fn clear(&mut self) {
        self.buffers.clear();
        self.entries.clear();
        self.targets.clear();
        self.bytes = 0;
    }

    /// What it counts for the limit on what may wait for a worker.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a message for a target; the same message goes on being added for all
    /// of its targets before the next one is. Tells by how many bytes it grew.
    #[inline]
    pub(crate) fn add(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        producer: Producer,
        target: Target,
    ) -> usize {
        let before = self.bytes;
        let known = self.buffers.last();
        if known.is_none_or(|last| last.as_ptr() != buffer.as_ptr()) {
            self.buffers.push(buffer.clone());
        }
        self.targets.push(target);
        let (buffer, targets) = (self.buffers.len() - 1, self.targets.len());
        let per_target = size_of::<Target>() + size_of::<Entry>();
        match self.entries.last_mut() {
            // Where a message starts in its buffer tells it from all others.
            Some(last) if last.buffer == buffer && last.message.tail == message.tail => {
                last.targets = targets;
                self.bytes += per_target;
            }
            _ => {
                self.bytes += per_target + message.body.len();
                self.entries.push(Entry {
                    buffer,
                    message: *message,
                    producer,
                    targets,
                });
            }
        }
        self.bytes - before
    }

    /// Calls `deliver` with each message and each of its targets in order.
    pub(crate) fn deliver(&self, mut deliver: impl FnMut(&Bytes, &Message, Producer, Target)) {
        let mut start = 0;
        for entry in &self.entries {
            for &target in &self.targets[start..entry.targets] {
                let buffer = &self.buffers[entry.buffer];
                deliver(buffer, &entry.message, entry.producer, target);
            }
            start = entry.targets;
        }
    }
}

//! A connection that publishes or requests, and the frames that it writes.

use std::time::Duration;

use super::clock::STAMP;
use super::connect::Connection;
use super::counters::Counters;
use super::wire::Wire;
use super::{LoadError, Pattern, Plan, frames};

/// How long the server may take to read what is left at the end.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that publishes or requests.
pub(super) struct Publisher {
    pub(super) wire: Wire,
    /// Whole frames, all the same.
    block: Vec<u8>,
    /// Bytes of a frame.
    frame: usize,
    /// The offset of the time in the frame, if there is room for it.
    stamp: Option<usize>,
    /// The offset in the block at which the next write begins.
    at: usize,
    /// Deliveries per message.
    fan_out: u64,
    /// Messages sent; frames of the block count when they are complete.
    pub(super) sent: u64,
    /// Answers received.
    pub(super) received: u64,
    /// Whether the operating system may accept more.
    pub(super) writable: bool,
}

impl Publisher {
    /// Creates a publisher with a block of about `block` bytes.
    pub(super) fn new(
        plan: &Plan,
        run: &str,
        place: usize,
        connection: Connection,
        block: usize,
    ) -> Result<Self, LoadError> {
        let subject = plan.subject_of(place);
        let reply = match plan.pattern {
            Pattern::Publish => String::new(),
            Pattern::Request => frames::inbox(run, place),
        };
        let one = frames::publish(&frames::subject(run, subject), &reply, plan.size);
        Ok(Self {
            wire: Wire::new(connection)?,
            block: one.repeat((block / one.len()).max(1)),
            frame: one.len(),
            stamp: (plan.size >= STAMP).then(|| one.len() - 2 - plan.size),
            at: 0,
            fan_out: plan.fan_out(subject),
            sent: 0,
            received: 0,
            writable: true,
        })
    }

    /// Returns the messages sent, including a partly sent one.
    pub(super) fn begun(&self) -> u64 {
        self.sent + u64::from(!self.at.is_multiple_of(self.frame))
    }

    /// Returns the requests sent and not answered.
    pub(super) fn unanswered(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }

    /// Appends a message with this time to the output.
    pub(super) fn append(&mut self, time: u64, counters: &Counters) {
        if let Some(at) = self.stamp {
            self.block[at..at + STAMP].copy_from_slice(&time.to_le_bytes());
        }
        self.wire.out().extend_from_slice(&self.block);
        self.sent += 1;
        counters.add_published(1, self.fan_out);
    }

    /// Writes from the block once, up to `limit` messages in total.
    pub(super) fn write(&mut self, limit: u64, counters: &Counters) -> Result<(), LoadError> {
        let part = self.at % self.frame;
        let mut frames = (self.block.len() - self.at).div_ceil(self.frame);
        if self.wire.unsent() > 0 {
            // Other output may be written only between two frames.
            if part == 0 {
                self.wire.flush()?;
                self.writable = self.wire.unsent() == 0;
                return Ok(());
            }
            frames = 1;
        }
        if let Ok(left) = usize::try_from(limit - self.sent) {
            frames = frames.min(left);
        }
        let end = self.at - part + frames * self.frame;
        let written = self.wire.write(&self.block[self.at..end])?;
        self.writable = self.at + written == end;
        let messages = ((part + written) / self.frame) as u64;
        self.at = (self.at + written) % self.block.len();
        self.sent += messages;
        counters.add_published(messages, messages * self.fan_out);
        Ok(())
    }

    /// Sends other output, but not in the middle of a frame.
    pub(super) fn flush(&mut self) -> Result<(), LoadError> {
        if self.at.is_multiple_of(self.frame) {
            self.wire.flush()?;
        }
        Ok(())
    }
}

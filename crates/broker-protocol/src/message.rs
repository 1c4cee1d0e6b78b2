//! A message between PUB and MSG.

use std::io::Write;

/// A part of a buffer. Offsets fit into 32 bits because the limits on reads keep buffers below 4
/// GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The part from `start` up to `end`.
    #[must_use]
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start: Message::length(start),
            end: Message::length(end),
        }
    }

    /// Returns the start.
    #[must_use]
    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// Returns the end.
    #[must_use]
    #[inline]
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// Returns the bytes.
    #[must_use]
    #[inline]
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start()..self.end()]
    }

    /// Returns the length in bytes.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Returns whether the part is empty.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Returns the same part of a buffer whose content is shifted by `by` bytes.
    #[must_use]
    #[inline]
    fn moved(self, by: u32) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
        }
    }
}

/// The parts of a message, as positions in the buffer that it was read into.
///
/// `PUB subject [reply] size` and `MSG subject sid [reply] size` have the same end, down to the
/// CRLF after the payload. This end is [`Message::tail`]: a delivery writes the verb, the subject,
/// the subscription id and the tail. The same holds for HPUB and HMSG, which have two sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The subject.
    pub subject: Span,
    /// The reply subject; empty if there is none.
    pub reply: Span,
    /// From the reply (or the size, if there is no reply) to the last CRLF.
    pub tail: Span,
    /// Headers and payload.
    pub body: Span,
    /// The size of the headers within the body, in bytes; 0 means MSG.
    pub headers: u32,
}

/// Bodies of at least this many bytes are shared by reference count instead of being copied to each
/// subscriber's output.
pub const SHARE_FROM: usize = 4096;

impl Message {
    /// Converts a length within a buffer to 32 bits, which the limits guarantee to suffice.
    #[must_use]
    #[inline]
    pub(super) fn length(length: usize) -> u32 {
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    /// Returns the same message for a buffer whose content is shifted by `by` bytes.
    #[must_use]
    #[inline]
    pub fn moved(&self, by: usize) -> Self {
        let by = Self::length(by);
        Self {
            subject: self.subject.moved(by),
            reply: self.reply.moved(by),
            tail: self.tail.moved(by),
            body: self.body.moved(by),
            headers: self.headers,
        }
    }

    /// Copies the message to a buffer of its own, with the tail in the form for MSG or HMSG. Used
    /// for lines that a client wrote in an unusual form, and for subscribers that do not support
    /// headers.
    #[must_use]
    pub fn rewritten(&self, buffer: &[u8], keep_headers: bool) -> (Vec<u8>, Self) {
        let headers = if keep_headers { self.headers } else { 0 };
        let dropped = (self.headers - headers) as usize;
        let body = &self.body.of(buffer)[dropped..];
        let (subject, reply) = (self.subject.of(buffer), self.reply.of(buffer));

        let mut copy = Vec::with_capacity(subject.len() + reply.len() + body.len() + 32);
        copy.extend_from_slice(subject);
        copy.push(b' ');
        let tail = copy.len();
        copy.extend_from_slice(reply);
        let reply = Span::new(tail, copy.len());
        if !reply.is_empty() {
            copy.push(b' ');
        }
        // Writing to a vector cannot fail.
        let _ = if headers > 0 {
            write!(copy, "{headers} {}\r\n", body.len())
        } else {
            write!(copy, "{}\r\n", body.len())
        };
        let start = copy.len();
        copy.extend_from_slice(body);
        let body = Span::new(start, copy.len());
        copy.extend_from_slice(b"\r\n");
        let message = Self {
            subject: Span::new(0, subject.len()),
            reply,
            tail: Span::new(tail, copy.len()),
            body,
            headers,
        };
        (copy, message)
    }
}

/// The reply to a request that has no responders: status 503.
#[must_use]
pub fn no_responders(reply: &[u8], sid: &[u8]) -> Vec<u8> {
    [
        b"HMSG ",
        reply,
        b" ",
        sid,
        b" 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
    ]
    .concat()
}

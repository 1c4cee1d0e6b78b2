//! A message on its way from PUB to MSG.

use std::io::Write;

/// A part of a buffer. Buffers here are smaller than 4 GiB by the limits on what
/// is read into them.
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

    /// Where it starts.
    #[must_use]
    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// Where it ends.
    #[must_use]
    #[inline]
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// Its bytes.
    #[must_use]
    #[inline]
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start()..self.end()]
    }

    /// How many bytes it has.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it has none.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The same part of a buffer in which everything lies `by` bytes further on.
    #[must_use]
    #[inline]
    fn moved(self, by: u32) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
        }
    }
}

/// Where the parts of a message lie in the buffer it was read into.
///
/// `PUB subject [reply] size` and `MSG subject sid [reply] size` end alike, down to
/// the CRLF behind the payload. This end is [`Message::tail`], and to deliver a
/// message is to write the verb, the subject, the subscription and the tail.
/// HPUB and HMSG have their two sizes there, and the same holds for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The subject.
    pub subject: Span,
    /// Where an answer should go; empty if there is none.
    pub reply: Span,
    /// From the reply, or from the size if there is none, to the last CRLF.
    pub tail: Span,
    /// Headers and payload.
    pub body: Span,
    /// How much of the body is headers, in bytes; 0 makes it a MSG.
    pub headers: u32,
}

/// Bodies from this size on, in bytes, are shared by reference count instead of
/// being copied to each subscriber's output.
pub const SHARE_FROM: usize = 4096;

impl Message {
    /// A length within a buffer as 32 bits, which is what the limits allow.
    #[must_use]
    #[inline]
    pub(super) fn length(length: usize) -> u32 {
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    /// The same message in a buffer where it lies `by` bytes further on.
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

    /// A copy in a buffer of its own, with the tail as MSG or HMSG want it:
    /// for what a client wrote in an unusual way, and for subscribers that do not
    /// understand headers.
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

/// The answer to a request that nobody is there to answer: status 503.
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

//! Splits a server's output into frames.
//!
//! This must cost next to nothing, because the generator often shares its
//! machine with the server. A message whose control line equals the previous
//! one is recognized by one comparison; nothing is allocated, and of a payload
//! only the bytes that the caller reads are touched.

use std::io::{self, Read};
use std::ops::Range;

/// The longest control line accepted; INFO of a large cluster is shorter.
const LONGEST_LINE: usize = 64 * 1024;
/// The largest payload accepted; no server allows more.
const LARGEST_PAYLOAD: usize = 1 << 30;

/// A frame from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// MSG, or HMSG without its headers.
    Message {
        /// The subject for the answer; empty if there is none.
        reply: &'a [u8],
        /// The payload.
        payload: &'a [u8],
    },
    /// HMSG with status 503: the request's subject has no subscriber.
    NoResponders,
    /// INFO, with its JSON.
    Info(&'a [u8]),
    /// -ERR, with its text.
    Error(&'a [u8]),
    /// PING.
    Ping,
    /// PONG.
    Pong,
    /// +OK.
    Okay,
}

/// The server violates the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScanError {
    /// An unknown line.
    #[error("it sent {0:?}")]
    Line(String),
    /// A line without end.
    #[error("a line is longer than {LONGEST_LINE} B")]
    Endless,
    /// A payload without the line end that must follow it.
    #[error("no line end follows a payload")]
    NoEnd,
}

/// The result of one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Bytes read; 0 means that the server closed the connection.
    pub(super) bytes: usize,
    /// Whether there may be more: the read filled the buffer.
    pub(super) more: bool,
}

/// Bytes received and not parsed yet.
#[derive(Debug)]
pub(super) struct Scanner {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The end of the next frame, if it is known and not received yet.
    wanted: usize,
    /// The previous message's control line with its line end, for comparison.
    line: Vec<u8>,
    /// The size of that message's body with its line end, and where its headers end.
    body: usize,
}

impl Scanner {
    /// Creates a buffer of `capacity` bytes, which grows for larger frames.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            buffer: vec![0; capacity.max(64)],
            start: 0,
            end: 0,
            wanted: 0,
            line: Vec::new(),
            body: 0,
        }
    }

    /// Returns the buffer's size in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Reads once, as much as the buffer has room for.
    ///
    /// # Errors
    ///
    /// Those of the reader, except interruption.
    pub(super) fn fill(&mut self, reader: &mut impl Read) -> io::Result<Taken> {
        self.make_room();
        let room = self.buffer.len() - self.end;
        let bytes = loop {
            match reader.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += bytes;
        let more = bytes == room;
        Ok(Taken { bytes, more })
    }

    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        // Moving the rest costs little beside a read that fills half of the buffer.
        if self.start > 0 && self.buffer.len() - self.end < self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let needed = self.wanted.max(self.end - self.start + 1);
        if self.buffer.len() - self.start < needed || self.end == self.buffer.len() {
            self.buffer.resize(2 * needed.max(self.buffer.len() / 2), 0);
        }
    }

    /// Returns the next frame, if it is complete.
    ///
    /// # Errors
    ///
    /// If the server violates the protocol.
    #[inline]
    pub(super) fn frame(&mut self) -> Result<Option<Frame<'_>>, ScanError> {
        let length = self.line.len();
        let whole = length + self.body;
        let bytes = &self.buffer[self.start..self.end];
        if length > 0 && bytes.len() >= whole && bytes[..length] == self.line[..] {
            if bytes[whole - 2..whole] != *b"\r\n" {
                return Err(ScanError::NoEnd);
            }
            let from = self.start + length;
            self.start += whole;
            return Ok(Some(Frame::Message {
                reply: &[],
                payload: &self.buffer[from..self.start - 2],
            }));
        }
        self.any()
    }

    /// Returns the next frame of any kind.
    fn any(&mut self) -> Result<Option<Frame<'_>>, ScanError> {
        let bytes = &self.buffer[self.start..self.end];
        let Some(newline) = bytes.iter().position(|&byte| byte == b'\n') else {
            return if bytes.len() > LONGEST_LINE {
                Err(ScanError::Endless)
            } else {
                Ok(None)
            };
        };
        let line = bytes[..newline].trim_ascii_end();
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let split = line.iter().position(blank).unwrap_or(line.len());
        let (word, rest) = line.split_at(split);
        let rest = self.start + line.len() - rest.trim_ascii_start().len()..self.start + line.len();
        let wrong = || ScanError::Line(String::from_utf8_lossy(line).chars().take(80).collect());
        let kind: for<'a> fn(&'a [u8]) -> Frame<'a> = match word {
            b"MSG" | b"HMSG" => {
                let head = Head::parse(line).ok_or_else(wrong)?;
                return self.message(newline + 1, head);
            }
            b"PING" => |_| Frame::Ping,
            b"PONG" => |_| Frame::Pong,
            b"+OK" => |_| Frame::Okay,
            b"INFO" => |rest| Frame::Info(rest),
            b"-ERR" => |rest| Frame::Error(rest),
            _ => return Err(wrong()),
        };
        self.start += newline + 1;
        self.wanted = 0;
        Ok(Some(kind(&self.buffer[rest])))
    }

    /// Returns the message whose control line takes `length` bytes.
    fn message(&mut self, length: usize, head: Head) -> Result<Option<Frame<'_>>, ScanError> {
        let whole = length + head.size + 2;
        let bytes = &self.buffer[self.start..self.end];
        if bytes.len() < whole {
            self.wanted = whole;
            return Ok(None);
        }
        if bytes[whole - 2..whole] != *b"\r\n" {
            return Err(ScanError::NoEnd);
        }
        if head.headers == 0 && head.reply.is_empty() {
            self.line.clear();
            self.line.extend_from_slice(&bytes[..length]);
            self.body = head.size + 2;
        }
        let from = self.start;
        self.start += whole;
        self.wanted = 0;
        let frame = &self.buffer[from..self.start];
        let headers = &frame[length..length + head.headers];
        if headers.starts_with(b"NATS/1.0 503") {
            return Ok(Some(Frame::NoResponders));
        }
        Ok(Some(Frame::Message {
            reply: &frame[head.reply],
            payload: &frame[length + head.headers..whole - 2],
        }))
    }
}

/// A control line of MSG or HMSG.
#[derive(Debug, Clone)]
struct Head {
    /// The reply subject's range in the line; empty if there is none.
    reply: Range<usize>,
    /// Bytes of the headers.
    headers: usize,
    /// Bytes of the headers and the payload.
    size: usize,
}

impl Head {
    /// `MSG subject sid [reply] size`, or `HMSG subject sid [reply] headers size`.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = [const { 0..0 }; 6];
        let mut count = 0;
        let mut at = 0;
        for field in line.split(|byte| matches!(byte, b' ' | b'\t')) {
            if !field.is_empty() {
                *fields.get_mut(count)? = at..at + field.len();
                count += 1;
            }
            at += field.len() + 1;
        }
        let with_headers = line[fields[0].clone()] == *b"HMSG";
        let plain = 4 + usize::from(with_headers);
        if count != plain && count != plain + 1 {
            return None;
        }
        let field = |place: usize| &line[fields[place].clone()];
        let size = number(field(count - 1))?;
        let headers = if with_headers {
            number(field(count - 2)).filter(|&headers| headers <= size)?
        } else {
            0
        };
        let reply = if count > plain {
            fields[3].clone()
        } else {
            0..0
        };
        Some(Self {
            reply,
            headers,
            size,
        })
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + usize::from(digit - b'0');
        if value > LARGEST_PAYLOAD {
            return None;
        }
    }
    (!digits.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"INFO {\"a\":1}\r\nPONG\r\nMSG a.b 1 5\r\nhello\r\nMSG a.b 1 5\r\n\
        wo\r\nd\r\nMSG a.b 1 0\r\n\r\nMSG a.b 1 _INBOX.x.7 2\r\nhi\r\nPING\r\n+OK\r\n\
        HMSG a.b 1 _INBOX.y 12 15\r\nNATS/1.0\r\n\r\nabc\r\nHMSG in 2 16 16\r\n\
        NATS/1.0 503\r\n\r\n\r\nMSG  a.b  1 \t5\r\nagain\r\n-ERR 'Slow Consumer'\r\n";

    fn expected() -> Vec<String> {
        [
            r#"Info({"a":1})"#,
            "Pong",
            "Message  hello",
            "Message  wo\r\nd",
            "Message  ",
            "Message _INBOX.x.7 hi",
            "Ping",
            "Okay",
            "Message _INBOX.y abc",
            "NoResponders",
            "Message  again",
            "Error('Slow Consumer')",
        ]
        .map(str::to_owned)
        .into()
    }

    fn show(frame: Frame<'_>) -> String {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match frame {
            Frame::Message { reply, payload } => {
                format!("Message {} {}", text(reply), text(payload))
            }
            Frame::Info(rest) => format!("Info({})", text(rest)),
            Frame::Error(rest) => format!("Error({})", text(rest)),
            other => format!("{other:?}"),
        }
    }

    fn scan(scanner: &mut Scanner, mut bytes: &[u8]) -> Result<Vec<String>, ScanError> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            scanner.fill(&mut bytes).expect("memory can be read");
            while let Some(frame) = scanner.frame()? {
                frames.push(show(frame));
            }
        }
        Ok(frames)
    }

    #[test]
    fn a_stream_may_be_split_at_every_byte() {
        for capacity in [64, 1 << 16] {
            for split in 0..=STREAM.len() {
                let mut scanner = Scanner::new(capacity);
                let (one, two) = STREAM.split_at(split);
                let mut frames = scan(&mut scanner, one).expect("well-formed");
                frames.extend(scan(&mut scanner, two).expect("well-formed"));
                assert_eq!(frames, expected(), "split at {split}");
            }
        }
    }

    #[test]
    fn a_stream_may_come_one_byte_at_a_time() {
        let mut scanner = Scanner::new(64);
        let mut frames = Vec::new();
        for byte in STREAM.chunks(1) {
            frames.extend(scan(&mut scanner, byte).expect("well-formed"));
        }
        assert_eq!(frames, expected());
    }

    #[test]
    fn frames_larger_than_the_buffer_make_it_grow() {
        let mut scanner = Scanner::new(64);
        for size in [63, 64, 65, 5000, 3, 100_000] {
            let payload = "x".repeat(size);
            let stream = format!("MSG a 1 {size}\r\n{payload}\r\nMSG a 1 {size}\r\n{payload}\r\n");
            let frames = scan(&mut scanner, stream.as_bytes()).expect("well-formed");
            let one = format!("Message  {payload}");
            assert_eq!(frames, [one.clone(), one]);
        }
    }

    #[test]
    fn what_is_no_protocol_is_refused() {
        for text in [
            "HTTP/1.1 400 Bad Request\r\n",
            "MSG a 1\r\n",
            "MSG a 1 -5\r\n",
            "MSG a 1 b c 5\r\n",
            "MSG a 1 99999999999999999999999\r\n",
            "HMSG a 1 6 5\r\n",
            "msg\r\n",
            "\r\n",
        ] {
            let refused = scan(&mut Scanner::new(64), text.as_bytes());
            assert!(matches!(refused, Err(ScanError::Line(_))), "{text}");
        }
        let stream = b"MSG a 1 2\r\nab\r\nMSG a 1 2\r\nabc\r\n";
        let refused = scan(&mut Scanner::new(64), stream);
        assert_eq!(refused, Err(ScanError::NoEnd));
        let endless = vec![b'x'; LONGEST_LINE + 2];
        let refused = scan(&mut Scanner::new(64), &endless);
        assert_eq!(refused, Err(ScanError::Endless));
    }

    #[test]
    fn reading_tells_whether_more_may_come() {
        let mut scanner = Scanner::new(64);
        let mut all = &[b'+'; 100][..];
        let taken = scanner.fill(&mut all).expect("memory can be read");
        assert_eq!(
            taken,
            Taken {
                bytes: 64,
                more: true
            }
        );
        let taken = scanner.fill(&mut all).expect("memory can be read");
        assert!(taken.bytes == 36 && !taken.more, "{taken:?}");
    }
}

//! One WebSocket connection.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use super::super::reason::Reason;
use super::close::{Close, MOST_CONTROL};
use super::deflate::{Inflater, PER_INFLATER};
use super::frames::{Frame, Heads, Opcode, push_close, read_close};
use super::outgoing::{MOST_OUT, Outgoing};
use super::port::Rules;
use super::upgrade::{MOST_REQUEST, Upgrade, judge, refusal};

/// Bytes of a compressed frame that are decompressed at a time.
const COMPRESSED_PART: usize = 2048;

/// Bytes of a client's frames that are read at a time.
pub(crate) const READ: usize = 16 * 1024;

/// Approximate memory of a session without compression, in bytes: its request or unprocessed input,
/// and its unwritten output.
const PER_WEBSOCKET: usize = READ + MOST_OUT;

/// Why reading has ended.
#[derive(Debug)]
enum End {
    /// The client sent a close frame; this is the answer.
    Closed(Close),
    /// The client broke the protocol; this is the error.
    Failed(Close),
    /// The client's request was refused.
    Refused(String),
}

/// The server's end of a connection.
#[derive(Debug)]
pub(crate) struct WebSocket {
    rules: Arc<Rules>,
    /// The start of the client's request, until the request is accepted.
    request: Option<Vec<u8>>,
    heads: Heads,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// Payload of a control frame.
    control: Vec<u8>,
    /// Present if compression was negotiated.
    inflater: Option<Box<Inflater>>,
    /// Input that did not fit into the caller's buffer, from `rest_at` on.
    rest: Vec<u8>,
    rest_at: usize,
    outgoing: Outgoing,
    end: Option<End>,
}

impl WebSocket {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            request: Some(Vec::new()),
            heads: Heads::default(),
            frame: None,
            control: Vec::new(),
            inflater: None,
            rest: Vec::new(),
            rest_at: 0,
            outgoing: Outgoing::default(),
            end: None,
        }
    }

    /// Returns an upper bound of the memory in bytes. Only [`take`](Self::take) changes it.
    pub(crate) fn held(&self) -> usize {
        let inflater = if self.inflater.is_some() {
            PER_INFLATER
        } else {
            0
        };
        PER_WEBSOCKET + inflater
    }

    /// Returns whether the client's request has not been accepted yet.
    pub(crate) fn is_upgrading(&self) -> bool {
        self.request.is_some()
    }

    /// Refuses the client's request, which this port does not serve.
    pub(crate) fn refuse(&mut self, why: &str) {
        let answer = refusal("400 Bad Request", why);
        self.outgoing.append(|out| out.extend_from_slice(&answer));
        self.end = Some(End::Refused(why.to_owned()));
    }

    /// Returns whether reading has ended normally.
    ///
    /// # Errors
    ///
    /// The client broke the protocol.
    pub(crate) fn ended(&self) -> io::Result<bool> {
        match &self.end {
            None => Ok(false),
            Some(End::Closed(_)) => Ok(true),
            Some(End::Failed(close)) => Err(io::Error::new(ErrorKind::InvalidData, close.why())),
            Some(End::Refused(why)) => Err(io::Error::new(ErrorKind::InvalidData, why.as_str())),
        }
    }

    /// Returns whether all input has been taken out, and a control frame is within its bound.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_drained(&self) -> bool {
        self.rest.is_empty() && self.control.len() <= MOST_CONTROL
    }

    /// Processes `raw`, the client's input, and puts the bytes of the NATS protocol into `into`.
    /// Returns their number. All earlier input must be [taken out](Self::resume) before.
    pub(crate) fn take(&mut self, raw: &[u8], into: &mut [u8]) -> usize {
        if self.end.is_some() {
            return 0;
        }
        if let Some(request) = &mut self.request {
            let room = (MOST_REQUEST + 1).saturating_sub(request.len());
            request.extend_from_slice(&raw[..raw.len().min(room)]);
            self.upgrade();
            return 0;
        }
        let (used, made) = self.decode(raw, into);
        if self.end.is_none() {
            self.rest.extend_from_slice(&raw[used..]);
        }
        made
    }

    /// Continues with input that did not fit before.
    pub(crate) fn resume(&mut self, into: &mut [u8]) -> usize {
        if self.request.is_some() {
            return 0;
        }
        let rest = std::mem::take(&mut self.rest);
        let (used, made) = self.decode(&rest[self.rest_at..], into);
        self.rest_at += used;
        if self.rest_at < rest.len() && self.end.is_none() {
            self.rest = rest;
        } else {
            self.rest_at = 0;
        }
        made
    }

    fn upgrade(&mut self) {
        let request = self.request.as_deref().unwrap_or_default();
        match judge(request, &self.rules) {
            Upgrade::Incomplete => {}
            Upgrade::Refused { answer, why } => {
                self.outgoing.append(|out| out.extend_from_slice(&answer));
                self.end = Some(End::Refused(why));
            }
            Upgrade::Accepted {
                answer,
                browser,
                compressed,
            } => {
                self.outgoing.append(|out| out.extend_from_slice(&answer));
                self.request = None;
                self.outgoing.browser = browser;
                self.outgoing.compressed = compressed;
                let inflater = || Box::new(Inflater::new(self.rules.most));
                self.inflater = compressed.then(inflater);
            }
        }
    }

    /// Puts the bytes of the NATS protocol in `raw` into `into`. Returns the numbers of bytes used
    /// and produced.
    fn decode(&mut self, raw: &[u8], into: &mut [u8]) -> (usize, usize) {
        let (mut used, mut made) = (0, 0);
        while self.end.is_none() {
            match self.step(&raw[used..], &mut into[made..]) {
                Ok(step) => {
                    used += step.used;
                    made += step.made;
                    if step.is_last {
                        break;
                    }
                }
                Err(close) => self.end = Some(End::Failed(close)),
            }
        }
        (used, made)
    }

    fn step(&mut self, raw: &[u8], into: &mut [u8]) -> Result<Step, Close> {
        let Some(frame) = &mut self.frame else {
            let (used, frame) = self.heads.read(raw, self.inflater.is_some())?;
            self.frame = frame;
            return Ok(Step {
                used,
                made: 0,
                is_last: frame.is_none(),
            });
        };
        let (used, mut made);
        let done = if frame.is_control() {
            let mut payload = [0; MOST_CONTROL];
            (used, made) = (frame.unmask(raw, &mut payload), 0);
            frame.advance(used);
            self.control.extend_from_slice(&payload[..used]);
            frame.left == 0
        } else if let Some(inflater) = self.inflater.as_mut().filter(|_| self.heads.compressed) {
            let mut part = [0; COMPRESSED_PART];
            let length = frame.unmask(raw, &mut part);
            (used, made) = inflater.inflate(&part[..length], into)?;
            frame.advance(used);
            if frame.left > 0 {
                return Ok(Step {
                    used,
                    made,
                    is_last: used + made == 0,
                });
            }
            !frame.is_final || {
                let (more, done) = inflater.finish(&mut into[made..])?;
                made += more;
                done
            }
        } else {
            used = frame.unmask(raw, into);
            made = used;
            frame.advance(used);
            frame.left == 0
        };
        if done {
            let opcode = frame.opcode;
            self.frame = None;
            self.obey(opcode)?;
        }
        Ok(Step {
            used,
            made,
            is_last: !done,
        })
    }

    /// Handles a control frame.
    fn obey(&mut self, opcode: Opcode) -> Result<(), Close> {
        let payload = std::mem::take(&mut self.control);
        match opcode {
            Opcode::Ping => self.outgoing.answer(payload),
            Opcode::Close => self.end = Some(End::Closed(read_close(&payload)?)),
            _ => {}
        }
        Ok(())
    }

    /// Puts bytes into frames, if all earlier output has been written. Returns the number of bytes
    /// taken.
    pub(crate) fn push(&mut self, slices: &[IoSlice<'_>]) -> usize {
        self.outgoing.push(slices)
    }

    /// Returns the bytes to be written.
    pub(crate) fn out(&mut self) -> &[u8] {
        self.outgoing.bytes()
    }

    /// Marks bytes as written.
    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.outgoing.wrote(bytes);
    }

    /// Returns whether everything is written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outgoing.is_flushed()
    }

    /// Appends the close frame for the reason, unless another end was sent before.
    pub(crate) fn close(&mut self, reason: Reason) {
        if self.is_upgrading() {
            return;
        }
        let close = match self.end.take() {
            Some(End::Closed(close) | End::Failed(close)) => close,
            _ => Close::of(reason),
        };
        self.outgoing.append(|out| push_close(out, &close));
    }
}

/// The result of a step.
#[derive(Debug)]
struct Step {
    used: usize,
    made: usize,
    /// There is no more input, or no room.
    is_last: bool,
}

#[cfg(test)]
mod tests {
    use super::super::deflate::deflate;
    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

    fn open(more: &str) -> WebSocket {
        let rules = Rules {
            compression: true,
            most: 1 << 20,
            ..Rules::default()
        };
        let mut session = WebSocket::new(Arc::new(rules));
        let request = [REQUEST, more.as_bytes(), b"\r\n"].concat();
        assert_eq!(session.take(&request, &mut [0; 64]), 0);
        assert!(session.out().starts_with(b"HTTP/1.1 101 "));
        written(&mut session);
        session
    }

    /// Takes the bytes to be written.
    fn written(session: &mut WebSocket) -> Vec<u8> {
        let mut all = Vec::new();
        while !session.out().is_empty() {
            all.extend_from_slice(session.out());
            let length = session.out().len();
            session.wrote(length);
        }
        assert!(session.is_flushed());
        all
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).expect("it is short");
        let mask = [7, 77, 177, 17];
        let masked = payload.iter().zip(mask.iter().cycle());
        let masked: Vec<u8> = masked.map(|(a, b)| a ^ b).collect();
        let head = match u8::try_from(length) {
            Ok(short @ ..126) => vec![first, 0x80 | short],
            _ => [&[first, 0xfe][..], &length.to_be_bytes()].concat(),
        };
        [&head[..], &mask, &masked].concat()
    }

    /// Passes `raw` to the session in parts, and takes the output through a small buffer.
    fn taken(session: &mut WebSocket, raw: &[u8], part: usize, room: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let mut into = vec![0; room];
        for raw in raw.chunks(part) {
            let mut made = session.take(raw, &mut into);
            while made > 0 {
                all.extend_from_slice(&into[..made]);
                made = session.resume(&mut into);
            }
        }
        all
    }

    #[test]
    fn payloads_come_out_in_any_parts_and_into_any_room() {
        let large = b"PUB a 1\r\nx\r\n".repeat(500);
        let packed = deflate(&[IoSlice::new(&large)], <[u8]>::to_vec).expect("it is shorter");
        let (first, second) = packed.split_at(packed.len() / 2);
        let raw = [
            frame(0x82, b"PING\r\n"),
            frame(0x02, b"PI"),
            frame(0x89, b"are you there?"),
            frame(0x00, b""),
            frame(0x80, b"NG\r\n"),
            frame(0xc2, &packed),
            frame(0x42, first),
            frame(0x8a, b""),
            frame(0x80, second),
            frame(0x81, &large),
        ]
        .concat();
        let plain = [&b"PING\r\nPING\r\n"[..], &large, &large, &large].concat();
        for part in [1, 7, 100, READ] {
            for room in [1, 64, 4096, 64 * 1024] {
                let mut session = open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
                let found = taken(&mut session, &raw, part, room);
                assert!(found == plain, "{} by {part} into {room}", found.len());
                assert_eq!(session.ended().ok(), Some(false));
                assert_eq!(written(&mut session), b"\x8a\x0eare you there?");
            }
        }
    }

    #[test]
    fn the_close_frame_has_the_closing_side_s_reason() {
        let mut gone = open("");
        gone.close(Reason::Gone);
        assert_eq!(written(&mut gone), b"\x88\x02\x03\xe8");
        let mut closed = open("");
        let mut into = [0; 64];
        assert_eq!(closed.take(&frame(0x88, b"\x03\xe9bye"), &mut into), 0);
        assert_eq!(closed.ended().ok(), Some(true));
        // Later input is ignored.
        assert_eq!(closed.take(&frame(0x82, b"PING\r\n"), &mut into), 0);
        assert!(closed.rest.is_empty());
        closed.close(Reason::Gone);
        assert_eq!(written(&mut closed), b"\x88\x05\x03\xe9bye");
        let mut wrong = open("");
        assert_eq!(wrong.take(b"\x82\x01x", &mut into), 0);
        assert!(wrong.ended().is_err());
        wrong.close(Reason::Gone);
        assert_eq!(written(&mut wrong), b"\x88\x12\x03\xeamask bit missing");
    }

    #[test]
    fn the_last_of_many_unread_pings_is_answered() {
        let mut session = open("");
        session.push(&[IoSlice::new(b"PING\r\n")]);
        session.wrote(1);
        for number in 0..1000 {
            let ping = frame(0x89, format!("{number}").as_bytes());
            assert_eq!(session.take(&ping, &mut [0; 64]), 0);
            session.out();
        }
        assert_eq!(written(&mut session), b"\x06PING\r\n\x8a\x03999");
    }

    #[test]
    fn memory_is_bounded_for_any_input() {
        const FIRSTS: [u8; 8] = [0x82, 0xc2, 0x02, 0x42, 0x00, 0x80, 0x89, 0x88];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..500 {
            let mut session = open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
            while session.ended().ok() == Some(false) && random.u8(..) > 0 {
                let payload: Vec<u8> = (0..random.usize(..300)).map(|_| random.u8(..)).collect();
                let first = *random.choice(FIRSTS.iter()).expect("there are some");
                let mut raw = frame(first, &payload);
                if random.u8(..) < 8 {
                    let at = random.usize(..raw.len());
                    raw[at] = random.u8(..);
                }
                let room = random.usize(1..100);
                taken(&mut session, &raw, random.usize(1..READ), room);
                assert!(session.is_drained());
                session.out();
            }
            session.close(Reason::Gone);
            assert!(session.out().len() <= 2 * (2 + MOST_CONTROL));
        }
    }

    #[test]
    fn a_request_is_kept_to_its_bound() {
        let mut session = WebSocket::new(Arc::default());
        for _ in 0..100 {
            session.take(&[b'x'; 1000], &mut [0; 64]);
        }
        assert!(
            session
                .request
                .as_ref()
                .is_some_and(|all| all.len() <= MOST_REQUEST + 1)
        );
        assert!(session.ended().is_err());
        session.close(Reason::Gone);
        assert!(written(&mut session).starts_with(b"HTTP/1.1 431 "));
    }
}

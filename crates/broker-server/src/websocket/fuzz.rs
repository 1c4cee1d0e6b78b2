//! Fuzz test of one WebSocket connection: in whatever parts a client's bytes arrive, the session
//! makes of them what a simple model reads in the whole input, within bounded memory.
//!
//! The first byte of the input is a set of options, the next two are the sizes of the parts in which
//! the session gets its input and hands out its output. The rest is the client's request or, after
//! an upgrade, its frames.

use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};

use super::super::reason::Reason;
use super::close::MOST_CONTROL;
use super::port::Rules;
use super::session::WebSocket;
use super::upgrade::MOST_REQUEST;

/// Options in the first byte of an input.
const COMPRESSION: u8 = 1;
const REQUEST: u8 = 2;

/// The limit of a decompressed message in bytes: small, so inputs reach it.
const MOST: usize = 2048;

const UPGRADE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// Passes the input to a session.
///
/// # Panics
///
/// If its output is wrong, or it holds too much.
pub(crate) fn check(input: &[u8]) {
    let [options, part, room, raw @ ..] = input else {
        return;
    };
    let (part, room) = (usize::from(*part) + 1, usize::from(*room) + 1);
    let rules = Arc::new(Rules {
        compression: options & COMPRESSION != 0,
        most: MOST,
        ..Rules::default()
    });
    if options & REQUEST != 0 {
        check_request(&rules, raw, part);
    } else {
        check_frames(&rules, raw, part, room);
    }
}

fn check_request(rules: &Arc<Rules>, raw: &[u8], part: usize) {
    let [(whole, text), (in_parts, _)] = [raw.len().max(1), part].map(|part| {
        let mut session = WebSocket::new(Arc::clone(rules));
        for part in raw.chunks(part) {
            if session.is_upgrading() {
                assert_eq!(session.take(part, &mut [0; 64]), 0);
            }
        }
        let answer = written(&mut session);
        assert_eq!(
            session.is_upgrading(),
            !answer.starts_with(b"HTTP/1.1 101 ")
        );
        assert!(answer.len() < 2 * MOST_REQUEST);
        // The status line.
        let line = answer.split(|&byte| byte == b'\n').next();
        (line.unwrap_or_default().to_vec(), answer)
    });
    // Frames behind the request are an error only if they arrive together with it.
    let early = b"before handshake is complete";
    if !text.windows(early.len()).any(|window| window == early) {
        assert_eq!(whole, in_parts, "{}", text.escape_ascii());
    }
}

fn check_frames(rules: &Arc<Rules>, raw: &[u8], part: usize, room: usize) {
    let mut session = WebSocket::new(Arc::clone(rules));
    assert_eq!(session.take(UPGRADE, &mut [0; 64]), 0);
    assert!(written(&mut session).starts_with(b"HTTP/1.1 101 "));

    let model = Model::of(raw, rules.compression);
    let mut found = Vec::new();
    let mut into = vec![0; room];
    for part in raw.chunks(part) {
        let mut made = session.take(part, &mut into);
        while made > 0 {
            found.extend_from_slice(&into[..made]);
            made = session.resume(&mut into);
        }
        assert!(session.is_drained());
    }
    let goes_on = matches!(session.ended(), Ok(false));
    assert_eq!(goes_on, model.end.is_none(), "{:?}", session.ended());
    assert!(
        found.starts_with(&model.certain) && model.possible.starts_with(&found),
        "{} bytes, of {} to {}",
        found.len(),
        model.certain.len(),
        model.possible.len()
    );

    // The output is an answer to the last ping, and a close frame.
    session.close(Reason::Gone);
    let mut expected = Vec::new();
    let close = match &model.end {
        None => &b"\x03\xe8"[..],
        Some(End::Closed(payload)) => payload,
        Some(End::Failed(codes)) => {
            let out = written(&mut session);
            let [0x88, length, high, low, ..] = &out[..] else {
                panic!("no close frame: {out:?}");
            };
            assert!(usize::from(*length) <= MOST_CONTROL);
            assert!(
                codes.contains(&u16::from_be_bytes([*high, *low])),
                "{out:?}"
            );
            assert!(out[2 + usize::from(*length)..].len() <= 2 + MOST_CONTROL);
            return;
        }
    };
    for (first, payload) in [(0x88, Some(close)), (0x8a, model.ping.as_deref())] {
        if let Some(payload) = payload {
            let length = u8::try_from(payload.len()).expect("it is short");
            expected.extend_from_slice(&[first, length]);
            expected.extend_from_slice(payload);
        }
    }
    assert_eq!(written(&mut session), expected);
}

/// Takes the bytes to be written.
fn written(session: &mut WebSocket) -> Vec<u8> {
    let mut all = Vec::new();
    while !session.out().is_empty() {
        let out = session.out();
        all.extend_from_slice(out);
        let length = out.len();
        session.wrote(length);
    }
    assert!(session.is_flushed());
    all
}

#[derive(Debug)]
enum End {
    /// The client closed the connection: the payload of the answer.
    Closed(Vec<u8>),
    /// The client broke the protocol: the possible status codes.
    Failed(&'static [u16]),
}

/// What a client's frames mean.
#[derive(Debug, Default)]
struct Model {
    /// The NATS protocol in them, without the decompressed bytes of an incomplete message.
    certain: Vec<u8>,
    /// The same with these bytes.
    possible: Vec<u8>,
    ping: Option<Vec<u8>>,
    end: Option<End>,
}

const PROTOCOL_ERROR: End = End::Failed(&[1002]);

impl Model {
    /// Reads all frames from the whole input.
    fn of(raw: &[u8], may_compress: bool) -> Self {
        let mut model = Self::default();
        let mut rest = raw;
        // Whether the current message is compressed, and its compressed bytes.
        let mut message: Option<(bool, Vec<u8>)> = None;
        while model.end.is_none() {
            match rest {
                [_, second, ..] if second & 0x80 == 0 => model.end = Some(PROTOCOL_ERROR),
                _ => {}
            }
            let Some((first, length, mask, behind)) = head(rest).filter(|_| model.end.is_none())
            else {
                break;
            };
            let (is_final, compressed, opcode) = (first >= 0x80, first & 0x40 != 0, first & 15);
            let is_valid = match opcode {
                0 => message.is_some() && !compressed,
                1 | 2 => message.is_none(),
                8..=10 => is_final && !compressed && length < 126,
                _ => false,
            };
            let reserved = first & 0x30 != 0 || compressed && !may_compress;
            let Some(length) = usize::try_from(length)
                .ok()
                .filter(|&length| is_valid && !reserved && length <= usize::MAX / 2)
            else {
                model.end = Some(PROTOCOL_ERROR);
                break;
            };
            let there = &behind[..behind.len().min(length)];
            rest = &behind[there.len()..];
            let is_whole = there.len() == length;
            let payload = there.iter().zip(mask.iter().cycle());
            let payload: Vec<u8> = payload.map(|(byte, mask)| byte ^ mask).collect();
            match opcode {
                8 if is_whole => model.close(&payload),
                9 if is_whole => model.ping = Some(payload),
                8..=10 => {}
                _ => {
                    let (compressed, mut packed) =
                        message.take().unwrap_or((compressed, Vec::new()));
                    let is_done = is_whole && is_final;
                    if compressed {
                        packed.extend_from_slice(&payload);
                        model.inflate(&packed, is_done);
                    } else {
                        model.certain.extend_from_slice(&payload);
                        model.possible.clone_from(&model.certain);
                    }
                    message = (!is_done).then_some((compressed, packed));
                }
            }
            if !is_whole {
                break;
            }
        }
        model
    }

    fn close(&mut self, payload: &[u8]) {
        let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        self.end = Some(match code {
            None => End::Closed(Vec::new()),
            Some(1000..=1003 | 1007..=1014 | 3000..=4999) => {
                if std::str::from_utf8(&payload[2..]).is_ok() {
                    End::Closed(payload.to_vec())
                } else {
                    End::Failed(&[1007])
                }
            }
            Some(_) => PROTOCOL_ERROR,
        });
    }

    /// Decompresses what there is of a message.
    fn inflate(&mut self, packed: &[u8], is_done: bool) {
        let tail = if is_done { &b"\0\0\xff\xff"[..] } else { &[] };
        let packed = [packed, tail].concat();
        let mut state = Decompress::new(false);
        let (mut plain, mut used) = (Vec::new(), 0);
        let is_valid = loop {
            let mut into = [0; MOST];
            let before = (state.total_in(), state.total_out());
            let flush = FlushDecompress::None;
            let status = state.decompress(&packed[used..], &mut into, flush);
            let since = |total: u64, before: u64| usize::try_from(total - before).expect("small");
            let read = since(state.total_in(), before.0);
            let made = since(state.total_out(), before.1);
            used += read;
            plain.extend_from_slice(&into[..made]);
            match status {
                Err(_) => break false,
                Ok(_) if plain.len() > MOST => break false,
                Ok(Status::StreamEnd) => state.reset(false),
                Ok(_) if read + made == 0 => break true,
                Ok(_) => {}
            }
        };
        self.possible.clone_from(&self.certain);
        self.possible.extend_from_slice(&plain);
        if !is_valid {
            // Which of the two is found first depends on the parts.
            self.end = Some(End::Failed(&[1007, 1009]));
        } else if is_done {
            self.certain.clone_from(&self.possible);
        }
    }
}

/// Reads the head of a frame: its first byte, the length and the mask of its payload, and what
/// follows.
fn head(raw: &[u8]) -> Option<(u8, u64, [u8; 4], &[u8])> {
    let (&[first, second], rest) = raw.split_first_chunk()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(short), rest),
    };
    let (mask, rest) = rest.split_first_chunk()?;
    Some((first, length, *mask, rest))
}

#[cfg(test)]
mod tests {
    use super::super::deflate::deflate;
    use super::*;
    use std::io::IoSlice;

    /// Returns the fuzzer's seed inputs.
    fn seeds() -> Vec<Vec<u8>> {
        // Cargo runs tests in the package's folder.
        let folder = std::path::Path::new("../../fuzz/corpus/websocket");
        let entries = std::fs::read_dir(folder).expect("it is there");
        let paths = entries.map(|entry| entry.expect("it can be read").path());
        let read = |path| std::fs::read(path).expect("it is a file");
        paths.map(read).collect()
    }

    fn damage(random: &mut fastrand::Rng, input: &mut Vec<u8>) {
        for _ in 0..random.usize(..3) {
            let at = random.usize(..input.len());
            match random.u8(..3) {
                0 => input[at] = random.u8(..),
                1 => input.insert(at, random.u8(..)),
                _ => drop(input.remove(at)),
            }
        }
    }

    #[test]
    fn the_corpus_and_damaged_inputs_match_the_model() {
        let seeds = seeds();
        assert!(seeds.len() > 10, "{}", seeds.len());
        for seed in &seeds {
            check(seed);
        }
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let mut input = random.choice(&seeds).expect("there are some").clone();
            damage(&mut random, &mut input);
            check(&input);
        }
    }

    /// Appends a frame with a mask.
    fn push_frame(input: &mut Vec<u8>, first: u8, payload: &[u8]) {
        let mask = [7, 77, 177, 17];
        input.push(first);
        let length = u16::try_from(payload.len()).expect("it is short");
        let [high, low] = length.to_be_bytes();
        if length < 126 {
            input.push(0x80 | low);
        } else {
            input.extend_from_slice(&[0xfe, high, low]);
        }
        input.extend_from_slice(&mask);
        let masked = payload.iter().zip(mask.iter().cycle());
        input.extend(masked.map(|(byte, mask)| byte ^ mask));
    }

    #[test]
    fn random_frames_match_the_model() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..4000 {
            let mut input = vec![random.u8(..2), random.u8(..), random.u8(..)];
            for _ in 0..random.usize(1..6) {
                let plain = vec![random.u8(..); random.usize(..600)];
                let packed = deflate(&[IoSlice::new(&plain)], <[u8]>::to_vec);
                match random.u8(..8) {
                    0 => push_frame(&mut input, 0x89, &plain[..plain.len().min(125)]),
                    1 => push_frame(&mut input, 0x88, b"\x03\xe8bye"),
                    2 => {
                        let at = random.usize(..=plain.len());
                        push_frame(&mut input, 0x02, &plain[..at]);
                        push_frame(&mut input, 0x8a, b"");
                        push_frame(&mut input, 0x80, &plain[at..]);
                    }
                    3..6 => {
                        let packed = packed.unwrap_or_default();
                        let at = random.usize(..=packed.len());
                        push_frame(&mut input, 0x42, &packed[..at]);
                        push_frame(&mut input, 0x80, &packed[at..]);
                    }
                    _ => push_frame(&mut input, 0x82, &plain),
                }
            }
            if random.bool() {
                damage(&mut random, &mut input);
            }
            check(&input);
        }
    }
}

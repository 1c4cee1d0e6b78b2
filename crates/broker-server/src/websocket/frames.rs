//! WebSocket frames (RFC 6455, section 5): reads and writes frame headers.

use super::close::{Close, INVALID_DATA, MOST_CONTROL, PROTOCOL_ERROR};

/// Longest frame header of a client, in bytes.
const MOST_HEAD: usize = 14;

const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;

/// The type of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

/// The client's frame whose payload is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) opcode: Opcode,
    /// The frame ends its message.
    pub(super) is_final: bool,
    /// Bytes of its payload that have not been read.
    pub(super) left: u64,
    mask: [u8; 4],
    /// Index of the mask byte for the next payload byte.
    at: usize,
}

impl Frame {
    pub(super) fn is_control(&self) -> bool {
        self.opcode.is_control()
    }

    /// Copies the available part of the payload without the mask, as far as it fits. Returns the
    /// number of bytes; [`advance`](Self::advance) marks them as read.
    pub(super) fn unmask(&self, from: &[u8], into: &mut [u8]) -> usize {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = from.len().min(into.len()).min(left);
        let mut mask = self.mask;
        mask.rotate_left(self.at);
        let wide = u64::from_ne_bytes([mask, mask].concat().try_into().unwrap_or_default());
        let (from, into) = (&from[..length], &mut into[..length]);
        let (words, rest) = from.as_chunks::<8>();
        let (words_into, rest_into) = into.as_chunks_mut::<8>();
        for (word, into) in words.iter().zip(words_into) {
            *into = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
        }
        for ((byte, into), mask) in rest.iter().zip(rest_into).zip(mask.iter().cycle()) {
            *into = byte ^ mask;
        }
        length
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.left -= bytes as u64;
        self.at = (self.at + bytes) % 4;
    }
}

/// Reads the headers of a client's frames, and checks that their order is valid.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The start of a header.
    start: [u8; MOST_HEAD],
    length: usize,
    /// A message has begun and not ended.
    in_message: bool,
    /// The current message is compressed.
    pub(super) compressed: bool,
}

impl Heads {
    /// Reads the part of `bytes` that belongs to a header. Returns its length, and the frame if its
    /// header is complete.
    ///
    /// # Errors
    ///
    /// The frame is invalid. Messages may be compressed only if that was negotiated.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        may_compress: bool,
    ) -> Result<(usize, Option<Frame>), Close> {
        let mut used = 0;
        loop {
            let needed = self.needed()?;
            if self.length == needed {
                self.length = 0;
                return Ok((used, Some(self.frame(needed, may_compress)?)));
            }
            let Some(&byte) = bytes.get(used) else {
                return Ok((used, None));
            };
            self.start[self.length] = byte;
            self.length += 1;
            used += 1;
        }
    }

    /// Returns the length of the header, as far as its start determines it.
    fn needed(&self) -> Result<usize, Close> {
        if self.length < 2 {
            return Ok(2);
        }
        if self.start[1] & MASKED == 0 {
            return Err(wrong("mask bit missing"));
        }
        Ok(match self.start[1] & !MASKED {
            126 => 8,
            127 => 14,
            _ => 6,
        })
    }

    fn frame(&mut self, length: usize, may_compress: bool) -> Result<Frame, Close> {
        let [first, second, rest @ ..] = self.start;
        let opcode = Opcode::of(first & 0x0f)
            .ok_or_else(|| wrong(&format!("unknown opcode {}", first & 0x0f)))?;
        let (is_final, compressed) = (first & FINAL != 0, first & COMPRESSED != 0);
        let short = u64::from(second & !MASKED);
        if first & RESERVED != 0 || compressed && !may_compress {
            return Err(wrong("reserved bits set"));
        }
        match opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                if short > MOST_CONTROL as u64 {
                    return Err(wrong(
                        "control frame length bigger than maximum allowed of 125 bytes",
                    ));
                }
                if !is_final {
                    return Err(wrong("control frame does not have final bit set"));
                }
                if compressed {
                    return Err(wrong("reserved bits set"));
                }
            }
            Opcode::Text | Opcode::Binary => {
                if self.in_message {
                    return Err(wrong(
                        "new message started before final frame for previous message was received",
                    ));
                }
                (self.in_message, self.compressed) = (!is_final, compressed);
            }
            Opcode::Continuation => {
                if !self.in_message || compressed {
                    return Err(wrong("invalid continuation frame"));
                }
                self.in_message = !is_final;
            }
        }
        let left = match short {
            126 => u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            127 => rest.first_chunk().map_or(0, |all| u64::from_be_bytes(*all)),
            short => short,
        };
        if i64::try_from(left).is_err() {
            return Err(wrong("frame length out of range"));
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.start[length - 4..length]);
        Ok(Frame {
            opcode,
            is_final,
            left,
            mask,
            at: 0,
        })
    }
}

fn wrong(why: &str) -> Close {
    Close::new(PROTOCOL_ERROR, why)
}

/// Appends the header of a frame from the server, which is a whole message and has no mask.
pub(super) fn push_head(out: &mut Vec<u8>, opcode: Opcode, compressed: bool, length: usize) {
    let compressed = if compressed { COMPRESSED } else { 0 };
    out.push(FINAL | compressed | opcode as u8);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => out.push(short),
        (_, Ok(short)) => {
            out.push(126);
            out.extend_from_slice(&short.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Appends a close frame.
pub(super) fn push_close(out: &mut Vec<u8>, close: &Close) {
    if close.code() == 0 {
        push_head(out, Opcode::Close, false, 0);
        return;
    }
    push_head(
        out,
        Opcode::Close,
        false,
        size_of::<u16>() + close.why().len(),
    );
    out.extend_from_slice(&close.code().to_be_bytes());
    out.extend_from_slice(close.why().as_bytes());
}

/// Reads the payload of a client's close frame. Returns the close frame to answer with, which is
/// empty for an empty payload.
///
/// # Errors
///
/// The payload is invalid.
pub(super) fn read_close(payload: &[u8]) -> Result<Close, Close> {
    let [first, second, text @ ..] = payload else {
        return Ok(Close::default());
    };
    let code = u16::from_be_bytes([*first, *second]);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(wrong("invalid status in close frame"));
    }
    match std::str::from_utf8(text) {
        Ok(text) => Ok(Close::new(code, text)),
        Err(_) => Err(Close::new(INVALID_DATA, "invalid utf8 body in close frame")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn head(first: u8, length: &[u8]) -> Vec<u8> {
        let (short, long) = length.split_first().expect("one byte at least");
        [&[first, MASKED | short][..], long, &MASK].concat()
    }

    fn read_all(heads: &[Vec<u8>]) -> Result<Vec<Frame>, String> {
        let mut reader = Heads::default();
        let mut frames = Vec::new();
        for head in heads {
            let (used, frame) = reader
                .read(head, false)
                .map_err(|close| close.why().to_owned())?;
            assert_eq!(used, head.len());
            frames.extend(frame);
        }
        Ok(frames)
    }

    #[test]
    fn heads_are_read_in_any_parts() {
        for (head, opcode, is_final, left) in [
            (head(0x82, &[0]), Opcode::Binary, true, 0),
            (head(0x81, &[125]), Opcode::Text, true, 125),
            (head(0x02, &[126, 1, 2]), Opcode::Binary, false, 258),
            (
                head(0x82, &[127, 0, 0, 0, 0, 1, 0, 0, 0]),
                Opcode::Binary,
                true,
                1 << 24,
            ),
            (head(0x89, &[125]), Opcode::Ping, true, 125),
        ] {
            let frame = Frame {
                opcode,
                is_final,
                left,
                mask: MASK,
                at: 0,
            };
            assert_eq!(read_all(std::slice::from_ref(&head)), Ok(vec![frame]));
            let bytes: Vec<_> = head.iter().map(|&byte| vec![byte]).collect();
            assert_eq!(read_all(&bytes), Ok(vec![frame]));
        }
    }

    #[test]
    fn frames_follow_each_other_by_the_rules() {
        let text = "new message started before final frame for previous message was received";
        for (firsts, wrong) in [
            (&[0x02, 0x00, 0x89, 0x80, 0x82][..], None),
            (&[0x80], Some("invalid continuation frame")),
            (&[0x82, 0x00], Some("invalid continuation frame")),
            (&[0x02, 0x81], Some(text)),
            (&[0x09], Some("control frame does not have final bit set")),
            (&[0x83], Some("unknown opcode 3")),
            (&[0x8b], Some("unknown opcode 11")),
            (&[0xa2], Some("reserved bits set")),
            (&[0xc2], Some("reserved bits set")),
        ] {
            let heads: Vec<_> = firsts.iter().map(|&first| head(first, &[1])).collect();
            let read = read_all(&heads).map(|frames| frames.len());
            match wrong {
                None => assert_eq!(read, Ok(firsts.len())),
                Some(why) => assert_eq!(read, Err(why.to_owned()), "{firsts:x?}"),
            }
        }
        for (head, why) in [
            (vec![0x82, 1], "mask bit missing"),
            (
                head(0x89, &[126, 0, 1]),
                "control frame length bigger than maximum allowed of 125 bytes",
            ),
            (
                head(0x82, &[127, 128, 0, 0, 0, 0, 0, 0, 0]),
                "frame length out of range",
            ),
        ] {
            assert_eq!(read_all(&[head]), Err(why.to_owned()));
        }
        let mut heads = Heads::default();
        assert!(heads.read(&head(0x42, &[1]), true).is_ok() && heads.compressed);
        assert!(heads.read(&head(0xc9, &[1]), true).is_err());
        assert!(heads.read(&head(0xc0, &[1]), true).is_err());
    }

    #[test]
    fn payloads_are_unmasked_in_any_parts() {
        let plain: Vec<u8> = (0..100).collect();
        let masks = MASK.iter().cycle();
        let masked: Vec<u8> = plain.iter().zip(masks).map(|(a, b)| a ^ b).collect();
        for part in [1, 3, 8, 11, 100] {
            let frames = read_all(&[head(0x82, &[100])]).expect("it is right");
            let mut frame = frames[0];
            let mut found = Vec::new();
            for bytes in masked.chunks(part) {
                let mut into = vec![0; part];
                let length = frame.unmask(bytes, &mut into);
                assert_eq!(length, bytes.len());
                frame.advance(length);
                found.extend_from_slice(&into[..length]);
            }
            assert_eq!((found, frame.left), (plain.clone(), 0), "by {part}");
        }
    }

    #[test]
    fn heads_are_written_as_short_as_they_can_be() {
        for (length, compressed, head) in [
            (0, false, &[0x82, 0][..]),
            (125, false, &[0x82, 125]),
            (126, true, &[0xc2, 126, 0, 126]),
            (65_535, false, &[0x82, 126, 255, 255]),
            (65_536, false, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            push_head(&mut out, Opcode::Binary, compressed, length);
            assert_eq!(out, head);
        }
    }

    #[test]
    fn a_valid_close_is_answered_in_kind() {
        for (payload, code) in [
            (&b""[..], Ok(0)),
            (b"\x03", Ok(0)),
            (b"\x03\xe8", Ok(1000)),
            (b"\x03\xe9bye", Ok(1001)),
            (b"\x03\xed", Err(PROTOCOL_ERROR)),
            (b"\x00\x00", Err(PROTOCOL_ERROR)),
            (b"\x03\xe8\xff", Err(INVALID_DATA)),
        ] {
            let read = read_close(payload);
            let code_of = |close: Close| close.code();
            assert_eq!(read.map(code_of).map_err(code_of), code, "{payload:?}");
        }
    }

    #[test]
    fn a_close_frame_has_a_code_and_a_text_that_fits() {
        let frame = |close: &Close| {
            let mut out = Vec::new();
            push_close(&mut out, close);
            out
        };
        assert_eq!(frame(&Close::default()), b"\x88\x00");
        assert_eq!(frame(&Close::new(1000, "bye")), b"\x88\x05\x03\xe8bye");
        let long = frame(&Close::new(1000, &"é".repeat(100)));
        assert_eq!((long.len(), long[1]), (2 + 2 + 122, 2 + 122));
    }
}

//! Output for a client: the NATS protocol in frames.

use std::io::IoSlice;

use super::deflate::deflate;
use super::frames::{Opcode, push_head};

/// Most bytes to put into frames before they are written.
pub(super) const MOST_OUT: usize = 16 * 1024;

/// Largest frame payload for a web browser, in bytes: nats-server's authors found that browsers
/// handle short frames better.
const MOST_TO_BROWSER: usize = 4096;

/// Shorter messages are not compressed, as in nats-server.
const WORTH_COMPRESSING: usize = 64;

/// Most slices in one message.
const MOST_PARTS: usize = 64;

/// Frames to be written.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// The client is a web browser.
    pub(super) browser: bool,
    /// Compression was negotiated.
    pub(super) compressed: bool,
    /// The frames, from `written` on.
    bytes: Vec<u8>,
    written: usize,
    /// Payload of the client's last ping that is not answered yet. Earlier pings need no answer.
    ping: Option<Vec<u8>>,
}

impl Outgoing {
    /// Appends bytes other than data frames.
    pub(super) fn append(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        append(&mut self.bytes);
    }

    /// Answers a ping, when there is room.
    pub(super) fn answer(&mut self, ping: Vec<u8>) {
        self.ping = Some(ping);
    }

    /// Puts bytes into frames, if all earlier output has been written. Returns the number of bytes
    /// taken.
    pub(super) fn push(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let most = if self.browser {
            MOST_TO_BROWSER
        } else {
            MOST_OUT
        };
        let mut pushed = 0;
        // The slices of one frame; slices beyond the array's size go into the next frame.
        let mut parts = [IoSlice::new(&[]); MOST_PARTS];
        while pushed < MOST_OUT {
            let (count, length) = gather(slices, pushed, most.min(MOST_OUT - pushed), &mut parts);
            if length == 0 {
                break;
            }
            self.push_message(&parts[..count], length);
            pushed += length;
        }
        pushed
    }

    fn push_message(&mut self, parts: &[IoSlice<'_>], length: usize) {
        let out = &mut self.bytes;
        if self.compressed && length >= WORTH_COMPRESSING {
            let packed = deflate(parts, |packed| {
                push_head(out, Opcode::Binary, true, packed.len());
                out.extend_from_slice(packed);
            });
            if packed.is_some() {
                return;
            }
        }
        push_head(out, Opcode::Binary, false, length);
        for part in parts {
            out.extend_from_slice(part);
        }
    }

    /// Returns the bytes to be written.
    pub(super) fn bytes(&mut self) -> &[u8] {
        if self.written == self.bytes.len() {
            // An idle connection keeps no buffer.
            (self.bytes, self.written) = (Vec::new(), 0);
            if let Some(payload) = self.ping.take() {
                push_head(&mut self.bytes, Opcode::Pong, false, payload.len());
                self.bytes.extend_from_slice(&payload);
            }
        }
        &self.bytes[self.written..]
    }

    /// Marks bytes as written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// Returns whether everything is written.
    pub(super) fn is_flushed(&self) -> bool {
        self.written == self.bytes.len() && self.ping.is_none()
    }
}

/// Collects the part of `slices` from `skip` on, up to `most` bytes and as many slices as `parts`
/// holds. Returns the numbers of slices and bytes.
fn gather<'a>(
    slices: &'a [IoSlice<'_>],
    mut skip: usize,
    most: usize,
    parts: &mut [IoSlice<'a>],
) -> (usize, usize) {
    let (mut count, mut sum) = (0, 0);
    for slice in slices {
        let Some(rest) = slice.get(skip..).filter(|rest| !rest.is_empty()) else {
            skip -= slice.len();
            continue;
        };
        skip = 0;
        let Some(part) = parts.get_mut(count).filter(|_| sum < most) else {
            break;
        };
        let rest = &rest[..rest.len().min(most - sum)];
        *part = IoSlice::new(rest);
        count += 1;
        sum += rest.len();
    }
    (count, sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_no_longer_than_the_client_likes() {
        let plain = [vec![b'x'; 10_000], vec![b'y'; 3], vec![b'z'; 20_000]];
        let slices = plain.each_ref().map(|part| IoSlice::new(part));
        for (browser, lengths) in [(false, vec![16_384]), (true, vec![4096; 4])] {
            let mut out = Outgoing {
                browser,
                ..Outgoing::default()
            };
            assert_eq!(out.push(&slices), MOST_OUT);
            let frames = out.bytes().to_vec();
            let mut rest = &frames[..];
            let mut found = Vec::new();
            let mut payload = Vec::new();
            while let [0x82, 126, high, low, more @ ..] = rest {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                payload.extend_from_slice(&more[..length]);
                found.push(length);
                rest = &more[length..];
            }
            assert_eq!((found, rest.len()), (lengths, 0));
            assert_eq!(payload, plain.concat()[..MOST_OUT]);
        }
    }

    #[test]
    fn short_messages_are_not_compressed() {
        for (compressed, length, first) in [(true, 63, 0x82), (true, 64, 0xc2), (false, 64, 0x82)] {
            let mut out = Outgoing {
                compressed,
                ..Outgoing::default()
            };
            let plain = vec![b'x'; length];
            assert_eq!(out.push(&[IoSlice::new(&plain)]), length);
            assert_eq!(out.bytes()[0], first, "{length} bytes");
        }
    }
}

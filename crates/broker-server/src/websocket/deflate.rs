//! Compression of messages (RFC 7692), each independent of earlier ones.

use std::cell::RefCell;
use std::io::IoSlice;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::close::{Close, INVALID_DATA, TOO_BIG};

/// The end of each compressed message, which is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Approximate memory of an [`Inflater`] in bytes: its window and its tables.
pub(super) const PER_INFLATER: usize = 48 * 1024;

/// Decompresses the messages of one connection in parts, into buffers of any size.
#[derive(Debug)]
pub(super) struct Inflater {
    state: Decompress,
    /// Decompressed bytes of the current message, and their limit.
    made: usize,
    most: usize,
    /// Bytes of [`TAIL`] that were already decompressed.
    tail: usize,
}

impl Inflater {
    /// Returns an inflater that allows messages of up to `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Decompress::new(false),
            made: 0,
            most,
            tail: 0,
        }
    }

    /// Decompresses a part of a message. Returns the numbers of bytes used and produced.
    ///
    /// # Errors
    ///
    /// The data is invalid, or the message exceeds its limit.
    pub(super) fn inflate(
        &mut self,
        from: &[u8],
        into: &mut [u8],
    ) -> Result<(usize, usize), Close> {
        let (mut used, mut made) = (0, 0);
        loop {
            let before = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(&from[used..], &mut into[made..], FlushDecompress::None)
                .map_err(|_| Close::new(INVALID_DATA, "invalid compressed data"))?;
            let since = |total: u64, before: u64| usize::try_from(total - before).unwrap_or(0);
            let read = since(self.state.total_in(), before.0);
            let written = since(self.state.total_out(), before.1);
            used += read;
            made += written;
            self.made += written;
            if self.made > self.most {
                let why = format!("message inflates to more than {} bytes", self.most);
                return Err(Close::new(TOO_BIG, &why));
            }
            if status == Status::StreamEnd {
                // Another stream may follow within the message.
                self.state.reset(false);
            } else if read + written == 0 || made == into.len() {
                return Ok((used, made));
            }
        }
    }

    /// Decompresses the rest of a message after all of its input. Returns the number of bytes
    /// produced, and whether the message is complete.
    ///
    /// # Errors
    ///
    /// Same as [`inflate`](Self::inflate).
    pub(super) fn finish(&mut self, into: &mut [u8]) -> Result<(usize, bool), Close> {
        let (used, made) = self.inflate(&TAIL[self.tail..], into)?;
        self.tail += used;
        let done = self.tail == TAIL.len() && made < into.len();
        if done {
            self.state.reset(false);
            (self.made, self.tail) = (0, 0);
        }
        Ok((made, done))
    }
}

/// The compressor, whose memory of about 300 KiB all connections of a thread share.
#[derive(Debug)]
struct Deflater {
    state: Compress,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

thread_local! {
    static DEFLATER: RefCell<Deflater> = RefCell::new(Deflater {
        state: Compress::new(Compression::fast(), false),
        plain: Vec::new(),
        packed: Vec::new(),
    });
}

/// Compresses a message and passes it to `take`, if that makes it shorter.
pub(super) fn deflate<T>(parts: &[IoSlice<'_>], take: impl FnOnce(&[u8]) -> T) -> Option<T> {
    DEFLATER.with_borrow_mut(|deflater| {
        let Deflater {
            state,
            plain,
            packed,
        } = deflater;
        plain.clear();
        packed.clear();
        for part in parts {
            plain.extend_from_slice(part);
        }
        state.reset();
        // Compression stops when the result is not shorter.
        packed.reserve(plain.len() + TAIL.len());
        let status = state.compress_vec(plain, packed, FlushCompress::Sync);
        let all = status.is_ok() && state.total_in() == plain.len() as u64;
        let short = packed.strip_suffix(&TAIL).filter(|_| all)?;
        (short.len() < plain.len()).then(|| take(short))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflated(plain: &[u8]) -> Option<Vec<u8>> {
        deflate(&[IoSlice::new(plain)], <[u8]>::to_vec)
    }

    fn inflated(message: &[u8], most: usize, room: usize) -> Result<Vec<u8>, u16> {
        let mut inflater = Inflater::new(most);
        let mut all = Vec::new();
        for _ in 0..2 {
            // The second message shows that no state of the first is left.
            all.clear();
            let mut into = vec![0; room];
            let mut used = 0;
            loop {
                let (read, made) = inflater
                    .inflate(&message[used..], &mut into)
                    .map_err(|close| close.code())?;
                used += read;
                all.extend_from_slice(&into[..made]);
                if used == message.len() && made < room {
                    break;
                }
            }
            loop {
                let (made, done) = inflater.finish(&mut into).map_err(|close| close.code())?;
                all.extend_from_slice(&into[..made]);
                if done {
                    break;
                }
            }
        }
        Ok(all)
    }

    #[test]
    fn compression_round_trips() {
        for length in [64, 1000, 4096, 16 * 1024] {
            let plain = b"MSG a.b 1 5\r\nhello\r\n".repeat(length / 20 + 1);
            let packed = deflated(&plain).expect("it is shorter");
            for room in [1, 7, 4096, 1 << 20] {
                assert_eq!(inflated(&packed, plain.len(), room).as_ref(), Ok(&plain));
            }
        }
        let random: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(4096)
            .collect();
        assert_eq!(deflated(&random), None);
    }

    #[test]
    fn the_examples_of_the_rfc_are_inflated() {
        for message in [
            &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..],
            b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        ] {
            assert_eq!(inflated(message, 5, 64), Ok(b"Hello".to_vec()));
        }
    }

    #[test]
    fn a_message_is_inflated_to_so_much_and_no_more() {
        let bomb = deflated(&vec![0; 1 << 20]).expect("it is shorter");
        assert!(bomb.len() < 16 * 1024);
        for room in [1000, 1 << 21] {
            assert_eq!(inflated(&bomb, (1 << 20) - 1, room), Err(TOO_BIG));
            assert_eq!(
                inflated(&bomb, 1 << 20, room).map(|all| all.len()),
                Ok(1 << 20)
            );
        }
        assert_eq!(inflated(b"\xff\xff\xff", 100, 100), Err(INVALID_DATA));
    }
}

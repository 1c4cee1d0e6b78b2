//! The pending output of a connection.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use bytes::Bytes;

use super::transport::Transport;
use broker_protocol::{Message, SHARE_FROM};

/// Capacity of a block in bytes. Longer lines may make a block a little larger.
const BLOCK: usize = 64 * 1024;

/// Bytes in a block from which on nothing more is added, which leaves room for a last small message
/// with its subjects.
const FULL: usize = BLOCK - 2 * SHARE_FROM;

/// Most free blocks that a worker keeps.
const MOST_FREE: usize = 16;

/// Most slices in one system call.
const MOST_SLICES: usize = 64;

/// Empty blocks of one worker. The last used block is reused first, because it is in the CPU cache.
#[derive(Debug, Default)]
pub(crate) struct Blocks(Vec<Vec<u8>>);

impl Blocks {
    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut block: Vec<u8>) {
        if self.0.len() < MOST_FREE && block.capacity() <= BLOCK {
            block.clear();
            self.0.push(block);
        }
    }
}

#[derive(Debug)]
enum Piece {
    Copied(Vec<u8>),
    Shared(Bytes),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(block) => block,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// The result of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// All pending output was written.
    All,
    /// The limit for one write was reached; the socket may accept more.
    Some,
    /// The socket's buffer is full.
    Full,
}

/// The pieces of the output, in order.
///
/// An idle connection has none, and no memory allocated for them.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that are already written.
    written: usize,
    pending: usize,
    /// Memory of the copied pieces, in bytes.
    held: usize,
    /// Total number of bytes that were ever queued.
    queued: u64,
}

impl Output {
    /// Returns the pending bytes.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Returns the memory that belongs to this output alone, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Returns the total numbers of bytes that were queued and written.
    pub(crate) fn positions(&self) -> (u64, u64) {
        (self.queued, self.queued - self.pending as u64)
    }

    /// Appends to the last block, after making room for `room` bytes.
    #[inline]
    fn append(&mut self, room: usize, blocks: &mut Blocks, write: impl FnOnce(&mut Vec<u8>)) {
        let open = matches!(self.pieces.back(), Some(Piece::Copied(block)) if block.len() < FULL);
        if !open {
            let block = blocks.take();
            self.held += block.capacity();
            self.pieces.push_back(Piece::Copied(block));
        }
        let Some(Piece::Copied(block)) = self.pieces.back_mut() else {
            unreachable!("the block was just added");
        };
        let (length, capacity) = (block.len(), block.capacity());
        if room > capacity - length {
            // A block slightly larger than `BLOCK` would not be kept for reuse.
            let doubled = (2 * capacity).min(BLOCK);
            block.reserve_exact(room.max(doubled.saturating_sub(length)));
        }
        write(block);
        let appended = block.len() - length;
        self.held += block.capacity() - capacity;
        self.pending += appended;
        self.queued += appended as u64;
    }

    /// Appends a copy.
    pub(crate) fn push(&mut self, bytes: &[u8], blocks: &mut Blocks) {
        self.append(bytes.len(), blocks, |block| block.extend_from_slice(bytes));
    }

    /// Appends a message for a hub: `head`, which is everything up to the payload, and the payload
    /// with its line end.
    pub(crate) fn push_to_hub(
        &mut self,
        head: &[u8],
        buffer: &Bytes,
        message: &Message,
        share_from: usize,
        blocks: &mut Blocks,
    ) {
        let rest = message.body.start()..message.tail.end();
        if message.body.len() >= share_from {
            self.push(head, blocks);
            self.share(buffer, &buffer[rest]);
        } else {
            let room = head.len() + rest.len();
            self.append(room, blocks, |block| {
                block.extend_from_slice(head);
                block.extend_from_slice(&buffer[rest]);
            });
        }
    }

    /// Appends a message for the subscription `sid`. A body of at least `share_from` bytes is
    /// shared instead of copied.
    #[inline]
    pub(crate) fn push_message(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        sid: &[u8],
        share_from: usize,
        blocks: &mut Blocks,
    ) {
        let verb: &[u8] = if message.headers > 0 {
            b"HMSG "
        } else {
            b"MSG "
        };
        let subject = message.subject.of(buffer);
        let tail = message.tail.of(buffer);
        let shared = message.body.len() >= share_from;
        let (head, body) = if shared {
            tail.split_at(message.body.start() - message.tail.start())
        } else {
            (tail, &[][..])
        };
        let room = verb.len() + subject.len() + sid.len() + head.len() + 2;
        self.append(room, blocks, |block| {
            block.extend_from_slice(verb);
            block.extend_from_slice(subject);
            block.push(b' ');
            block.extend_from_slice(sid);
            block.push(b' ');
            block.extend_from_slice(head);
        });
        if shared {
            self.share(buffer, body);
        }
    }

    /// Appends a part of a buffer without copying it.
    fn share(&mut self, buffer: &Bytes, part: &[u8]) {
        self.pending += part.len();
        self.queued += part.len() as u64;
        self.pieces.push_back(Piece::Shared(buffer.slice_ref(part)));
    }

    /// Writes as much as the transport accepts, up to about `most` bytes.
    pub(crate) fn write(
        &mut self,
        transport: &mut Transport,
        most: usize,
        blocks: &mut Blocks,
    ) -> io::Result<Written> {
        let mut sum = 0;
        while self.pending > 0 {
            if sum >= most {
                return Ok(Written::Some);
            }
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let mut skip = self.written;
            let mut count = 0;
            for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                *slice = IoSlice::new(&piece.bytes()[skip..]);
                skip = 0;
                count += 1;
            }
            match transport.write(&slices[..count]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    sum += written;
                    self.advance(written, blocks);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.shrink();
                    return Ok(Written::Full);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Written::All)
    }

    /// Keeps a client that reads nothing from holding a large block for a few bytes.
    fn shrink(&mut self) {
        if let Some(Piece::Copied(block)) = self.pieces.back_mut()
            && block.len() < block.capacity() / 4
        {
            let capacity = block.capacity();
            block.shrink_to(2 * block.len());
            self.held -= capacity - block.capacity();
        }
    }

    fn advance(&mut self, written: usize, blocks: &mut Blocks) {
        self.pending -= written;
        self.written += written;
        while let Some(piece) = self.pieces.front() {
            let length = piece.bytes().len();
            if self.written < length {
                break;
            }
            self.written -= length;
            if let Some(Piece::Copied(block)) = self.pieces.pop_front() {
                self.held -= block.capacity();
                blocks.give_back(block);
            }
        }
        if self.pieces.is_empty() && self.pieces.capacity() > MOST_SLICES {
            self.pieces = VecDeque::new();
        }
    }

    /// Discards the pending output. Returns whether the written part ends with a whole piece, and
    /// so with a whole line, after which another line can follow.
    pub(crate) fn forget(&mut self) -> bool {
        let between_lines =
            self.written == 0 && !matches!(self.pieces.front(), Some(Piece::Shared(_)));
        *self = Self::default();
        between_lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_kept_however_they_grew() {
        for line in [1, 5, 33, 300, 5000] {
            let mut blocks = Blocks::default();
            let mut output = Output::default();
            while output.pieces.len() < 3 {
                output.push(&vec![b'x'; line], &mut blocks);
            }
            assert_eq!(output.held() / BLOCK, 2, "lines of {line} bytes");
            output.advance(output.pending(), &mut blocks);
            assert_eq!((output.pending(), output.held()), (0, 0));
            assert_eq!(blocks.0.len(), 3, "lines of {line} bytes");
        }
    }
}

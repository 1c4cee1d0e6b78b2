//! What waits to be written to a connection.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use bytes::Bytes;

use super::transport::Transport;
use crate::protocol::{Message, SHARE_FROM};

/// Bytes that a block has room for. A few longer lines may make it larger.
const BLOCK: usize = 64 * 1024;

/// Bytes in a block from which on nothing more is added, so that what is added last
/// has room: a small message with its subjects.
const FULL: usize = BLOCK - 2 * SHARE_FROM;

/// Blocks of a worker that are kept for later, at most.
const MOST_FREE: usize = 16;

/// Slices handed to one system call, at most.
const MOST_SLICES: usize = 64;

/// Empty blocks of one worker. The one used last comes first: it is in the cache.
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

/// Pieces in the order in which they are to be written.
///
/// An idle connection has none, and so no memory for them either.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that are written already.
    written: usize,
    pending: usize,
}

impl Output {
    /// Bytes that wait.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Room at the end for some more bytes to be copied.
    #[inline]
    fn block(&mut self, blocks: &mut Blocks) -> &mut Vec<u8> {
        let room = matches!(self.pieces.back(), Some(Piece::Copied(block)) if block.len() < FULL);
        if !room {
            self.pieces.push_back(Piece::Copied(blocks.take()));
        }
        match self.pieces.back_mut() {
            Some(Piece::Copied(block)) => block,
            _ => unreachable!("it was put there just now"),
        }
    }

    /// Appends a copy.
    pub(crate) fn push(&mut self, bytes: &[u8], blocks: &mut Blocks) {
        self.pending += bytes.len();
        self.block(blocks).extend_from_slice(bytes);
    }

    /// Appends a message for the subscription `sid`.
    #[inline]
    pub(crate) fn push_message(
        &mut self,
        buffer: &Bytes,
        message: &Message,
        sid: &[u8],
        blocks: &mut Blocks,
    ) {
        let verb: &[u8] = if message.headers > 0 {
            b"HMSG "
        } else {
            b"MSG "
        };
        let subject = message.subject.of(buffer);
        let tail = message.tail.of(buffer);
        let shared = message.body.len() >= SHARE_FROM;
        let (head, body) = if shared {
            tail.split_at(message.body.start() - message.tail.start())
        } else {
            (tail, &[][..])
        };
        let block = self.block(blocks);
        let before = block.len();
        block.reserve(verb.len() + subject.len() + sid.len() + head.len() + 2);
        block.extend_from_slice(verb);
        block.extend_from_slice(subject);
        block.push(b' ');
        block.extend_from_slice(sid);
        block.push(b' ');
        block.extend_from_slice(head);
        self.pending += block.len() - before + body.len();
        if shared {
            self.pieces.push_back(Piece::Shared(buffer.slice_ref(body)));
        }
    }

    /// Writes as much as the transport takes. All is written when nothing is
    /// pending afterwards.
    pub(crate) fn write(
        &mut self,
        transport: &mut Transport,
        blocks: &mut Blocks,
    ) -> io::Result<()> {
        while self.pending > 0 {
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
                Ok(written) => self.advance(written, blocks),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
                blocks.give_back(block);
            }
        }
        if self.pieces.is_empty() && self.pieces.capacity() > MOST_SLICES {
            self.pieces = VecDeque::new();
        }
    }

    /// Forgets all that waits. Tells whether what was written so far ends with a
    /// whole piece, and so with a line, after which something else can follow.
    pub(crate) fn forget(&mut self) -> bool {
        let between_lines = self.written == 0;
        *self = Self::default();
        between_lines
    }
}

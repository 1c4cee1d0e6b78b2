//! Buffers to read into, shared with whoever still needs what was read.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Bytes that one read can bring.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Reads of fewer bytes than this are copied out when they have to be kept, so
/// that a short message does not hold on to a whole chunk.
const WORTH_KEEPING: usize = 8 * 1024;

/// Used chunks that are waited for, at most.
const MOST_LENT: usize = 16;

/// The chunks of one worker.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    lent: VecDeque<Bytes>,
    free: Option<BytesMut>,
}

impl Chunks {
    /// A chunk to read into; `CHUNK` bytes with anything in them.
    pub(crate) fn take(&mut self) -> BytesMut {
        if let Some(free) = self.free.take() {
            return free;
        }
        // The one lent first is the one most likely to be back.
        if let Some(oldest) = self.lent.pop_front() {
            match oldest.try_into_mut() {
                Ok(back) => return back,
                Err(still_used) if self.lent.len() < MOST_LENT => {
                    self.lent.push_front(still_used);
                }
                Err(_) => {}
            }
        }
        BytesMut::zeroed(CHUNK)
    }

    /// Takes back a chunk into which nothing was read.
    pub(crate) fn put_back(&mut self, chunk: BytesMut) {
        self.free = Some(chunk);
    }

    /// What was read into the first `length` bytes, to be sliced at will. There may
    /// be more behind it, without meaning. It has to be given back.
    pub(crate) fn freeze(&mut self, chunk: BytesMut, length: usize) -> Bytes {
        if length < WORTH_KEEPING {
            let copy = Bytes::copy_from_slice(&chunk[..length]);
            self.free = Some(chunk);
            copy
        } else {
            chunk.freeze()
        }
    }

    /// Takes back what [`Chunks::freeze`] gave.
    pub(crate) fn give_back(&mut self, chunk: Bytes) {
        if chunk.len() < CHUNK {
            return;
        }
        match chunk.try_into_mut() {
            Ok(free) => self.free = Some(free),
            Err(used) => self.lent.push_back(used),
        }
    }
}

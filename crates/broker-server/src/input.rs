//! A connection's unexecuted input, split at frame boundaries.

use std::io::{self, ErrorKind};

use bytes::Bytes;

use super::chunks::{CHUNK, Chunks};
use super::transport::Transport;

/// A client's bytes between the socket and the parser.
///
/// Each read goes into a chunk, after the start of an incomplete frame. A frame larger than a chunk
/// is collected in chunks, and copied into one buffer when it is complete: an announced size alone
/// allocates nothing, and all allocations have the same size, which suits allocators.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// The start of an incomplete frame.
    partial: Vec<u8>,
    /// The length of that frame in bytes, once it is known.
    needed: usize,
    /// The following chunks of a frame larger than a chunk.
    large: Vec<Vec<u8>>,
    /// Bytes in the last of these chunks; the others are full.
    in_last: usize,
    /// Frames that were left over by an earlier turn.
    rest: Bytes,
}

/// The result of a read.
#[derive(Debug)]
pub(crate) struct Read {
    /// Bytes that start with a frame; empty if the frame is not complete.
    pub(crate) data: Bytes,
    /// There may be more to read.
    pub(crate) more: bool,
}

impl Input {
    /// Returns the memory that belongs to this input alone, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.partial.capacity() + self.large.len() * CHUNK
    }

    /// Returns the number of bytes that were received and not executed.
    pub(crate) fn waiting(&self) -> usize {
        self.partial.len() + self.rest.len() + self.in_large()
    }

    /// Returns whether an earlier turn left frames over.
    pub(crate) fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Takes the frames that an earlier turn left over.
    pub(crate) fn take_rest(&mut self) -> Option<Bytes> {
        (!self.rest.is_empty()).then(|| std::mem::take(&mut self.rest))
    }

    /// Keeps frames for a later turn. The next read must come after their execution.
    pub(crate) fn keep_rest(&mut self, frames: Bytes) {
        self.rest = frames;
    }

    /// Keeps the start of a frame of `needed` bytes, or of unknown length.
    pub(crate) fn keep_start(&mut self, start: &[u8], needed: usize) {
        self.partial = start.to_vec();
        self.needed = needed;
    }

    /// Reads once.
    ///
    /// # Errors
    ///
    /// The transport's error; `UnexpectedEof` at the end.
    pub(crate) fn read(
        &mut self,
        transport: &mut Transport,
        chunks: &mut Chunks,
    ) -> io::Result<Read> {
        if self.needed > CHUNK {
            self.read_large(transport, chunks)
        } else {
            self.read_chunk(transport, chunks)
        }
    }

    fn read_chunk(&mut self, transport: &mut Transport, chunks: &mut Chunks) -> io::Result<Read> {
        let mut chunk = chunks.take();
        let kept = self.partial.len();
        chunk[..kept].copy_from_slice(&self.partial);
        match transport.read(&mut chunk[kept..]) {
            Ok(read @ 1..) => {
                self.partial = Vec::new();
                self.needed = 0;
                let length = kept + read;
                Ok(Read {
                    data: chunks.lend(chunk, length),
                    more: length == CHUNK || !transport.short_read_means_empty(),
                })
            }
            end_or_error => {
                chunks.put_back(chunk);
                Err(end_or_error
                    .err()
                    .unwrap_or(ErrorKind::UnexpectedEof.into()))
            }
        }
    }

    /// Returns the number of bytes in the chunks of a large frame.
    fn in_large(&self) -> usize {
        (self.large.len() * CHUNK + self.in_last).saturating_sub(CHUNK)
    }

    fn read_large(&mut self, transport: &mut Transport, chunks: &mut Chunks) -> io::Result<Read> {
        if self.large.is_empty() || self.in_last == CHUNK {
            self.large.push(chunks.take());
            self.in_last = 0;
        }
        let missing = self.needed - self.partial.len() - self.in_large();
        let start = self.in_last;
        let end = CHUNK.min(start + missing);
        let last = self.large.last_mut().ok_or(ErrorKind::OutOfMemory)?;
        let read = match transport.read(&mut last[start..end]) {
            Ok(read @ 1..) => read,
            end_or_error => {
                if start == 0
                    && let Some(unused) = self.large.pop()
                {
                    chunks.put_back(unused);
                    self.in_last = if self.large.is_empty() { 0 } else { CHUNK };
                }
                return Err(end_or_error
                    .err()
                    .unwrap_or(ErrorKind::UnexpectedEof.into()));
            }
        };
        self.in_last += read;
        let more = start + read == end || !transport.short_read_means_empty();
        let mut data = Bytes::new();
        if read == missing {
            data = self.assemble(chunks);
        }
        Ok(Read { data, more })
    }

    /// Copies the parts of a large frame into one buffer.
    fn assemble(&mut self, chunks: &mut Chunks) -> Bytes {
        let mut frame = Vec::with_capacity(self.needed);
        frame.extend_from_slice(&self.partial);
        for chunk in &self.large {
            let missing = self.needed - frame.len();
            frame.extend_from_slice(&chunk[..missing.min(CHUNK)]);
        }
        debug_assert_eq!(frame.len(), self.needed);
        for chunk in self.large.drain(..) {
            chunks.give_back(chunk);
        }
        self.large = Vec::new();
        self.partial = Vec::new();
        (self.needed, self.in_last) = (0, 0);
        chunks.lend_all(frame)
    }
}

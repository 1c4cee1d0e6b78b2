//! What a client has sent and was not carried out yet: the framing of a connection.

use std::io::{self, ErrorKind};

use bytes::Bytes;

use super::chunks::{CHUNK, Chunks};
use super::transport::Transport;

/// Bytes of a client between the socket and the parser.
///
/// They are read into a chunk, behind the start of a frame that came before. A frame
/// that is larger than a chunk is collected in chunks, and copied into one buffer when
/// its end has come: an announcement alone costs nothing, and memory is only ever asked
/// for and given back in one size, which allocators are good at.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// The start of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// The length of that frame in bytes, once it is known.
    needed: usize,
    /// What follows the start of a frame that is larger than a chunk.
    large: Vec<Vec<u8>>,
    /// Bytes in the last of these chunks; the others are full.
    in_last: usize,
    /// Frames for which there was no time yet.
    rest: Bytes,
}

/// What a read brought.
#[derive(Debug)]
pub(crate) struct Read {
    /// Bytes that start with a frame; none if the frame they belong to is not complete.
    pub(crate) data: Bytes,
    /// There may be more to read.
    pub(crate) more: bool,
}

impl Input {
    /// Memory that belongs to this input alone, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.partial.capacity() + self.large.len() * CHUNK
    }

    /// Bytes that came and were not carried out.
    pub(crate) fn waiting(&self) -> usize {
        self.partial.len() + self.rest.len() + self.in_large()
    }

    /// Whether there are frames for which there was no time.
    pub(crate) fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Takes the frames for which there was no time.
    pub(crate) fn take_rest(&mut self) -> Option<Bytes> {
        (!self.rest.is_empty()).then(|| std::mem::take(&mut self.rest))
    }

    /// Keeps frames for which there is no time now. Nothing may be read before they
    /// are carried out.
    pub(crate) fn keep_rest(&mut self, frames: Bytes) {
        self.rest = frames;
    }

    /// Keeps the start of a frame that is to be `needed` bytes long, if that is known.
    pub(crate) fn keep_start(&mut self, start: &[u8], needed: usize) {
        self.partial = start.to_vec();
        self.needed = needed;
    }

    /// Reads once.
    ///
    /// # Errors
    ///
    /// What the transport says; `UnexpectedEof` at the end.
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

    /// Bytes in the chunks of a large frame.
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

    /// Puts the parts of a large frame into one buffer.
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

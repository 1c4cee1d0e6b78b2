//! What a client has sent and was not carried out yet: the framing of a connection.

use std::io::{self, ErrorKind};

use bytes::Bytes;

use super::chunks::{CHUNK, Chunks};
use super::transport::Transport;

/// Bytes of a client between the socket and the parser.
///
/// They are read into a chunk, behind the start of a frame that came before. A frame
/// that is larger than a chunk gets a buffer of its own.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// The start of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// The length of that frame in bytes, once it is known.
    needed: usize,
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
        self.partial.capacity()
    }

    /// Bytes that came and were not carried out.
    pub(crate) fn waiting(&self) -> usize {
        self.partial.len() + self.rest.len()
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

    fn read_large(&mut self, transport: &mut Transport, chunks: &mut Chunks) -> io::Result<Read> {
        let before = self.partial.len();
        // It grows with what really comes: an announcement alone costs nothing.
        let room = self.needed.min(before + before.max(CHUNK));
        if room > self.partial.capacity() {
            self.partial.reserve_exact(room - before);
        }
        self.partial.resize(room, 0);
        let read = transport.read(&mut self.partial[before..]);
        let length = before + read.as_ref().map_or(0, |&read| read);
        self.partial.truncate(length);
        if read? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let more = length == room || !transport.short_read_means_empty();
        let mut data = Bytes::new();
        if length == self.needed {
            self.needed = 0;
            data = chunks.lend_all(std::mem::take(&mut self.partial));
        }
        Ok(Read { data, more })
    }
}

//! Read buffers, shared by reference count while their content is needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use crossbeam::queue::ArrayQueue;

/// Size of a read.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Shorter reads are copied when they must be kept, so a short message does not keep a whole chunk
/// alive.
const WORTH_KEEPING: usize = 8 * 1024;

/// Most free chunks to keep.
const MOST_FREE: usize = 16;

/// The chunks of one worker.
#[derive(Debug)]
pub(crate) struct Chunks {
    pool: Arc<Pool>,
    /// The next chunk to read into: it is in the CPU cache.
    next: Option<Vec<u8>>,
}

/// Takes back free chunks, and counts the bytes that are lent.
#[derive(Debug)]
struct Pool {
    free: ArrayQueue<Vec<u8>>,
    lent: Arc<AtomicUsize>,
}

/// The owner of a lent buffer.
struct Lease {
    bytes: Vec<u8>,
    length: usize,
    pool: Arc<Pool>,
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.pool
            .lent
            .fetch_sub(bytes.capacity(), Ordering::Relaxed);
        if bytes.len() == CHUNK {
            // If the pool is full, the chunk is freed.
            let _ = self.pool.free.push(bytes);
        }
    }
}

impl Chunks {
    /// Creates the chunks of a worker. `lent` counts the bytes that are lent.
    pub(crate) fn new(lent: Arc<AtomicUsize>) -> Self {
        let free = ArrayQueue::new(MOST_FREE);
        Self {
            pool: Arc::new(Pool { free, lent }),
            next: None,
        }
    }

    /// Returns a chunk to read into: `CHUNK` bytes with arbitrary content.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let next = self.next.take().or_else(|| self.pool.free.pop());
        next.unwrap_or_else(|| vec![0; CHUNK])
    }

    /// Takes back an unused chunk.
    pub(crate) fn put_back(&mut self, chunk: Vec<u8>) {
        self.next = Some(chunk);
    }

    /// Takes back a chunk whose content was copied.
    pub(crate) fn give_back(&mut self, chunk: Vec<u8>) {
        // If the pool is full, the chunk is freed.
        let _ = self.pool.free.push(chunk);
    }

    /// Returns the first `length` bytes as a shared, sliceable buffer.
    pub(crate) fn lend(&mut self, chunk: Vec<u8>, length: usize) -> Bytes {
        if length < WORTH_KEEPING {
            let copy = chunk[..length].to_vec();
            self.next = Some(chunk);
            self.lend_all(copy)
        } else {
            self.lease(chunk, length)
        }
    }

    /// Same as `lend`, for a whole buffer of any size.
    pub(crate) fn lend_all(&self, bytes: Vec<u8>) -> Bytes {
        let length = bytes.len();
        self.lease(bytes, length)
    }

    fn lease(&self, bytes: Vec<u8>, length: usize) -> Bytes {
        let pool = Arc::clone(&self.pool);
        pool.lent.fetch_add(bytes.capacity(), Ordering::Relaxed);
        Bytes::from_owner(Lease {
            bytes,
            length,
            pool,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lent_bytes_are_counted_until_the_last_part_is_dropped() {
        let lent = Arc::new(AtomicUsize::new(0));
        let mut chunks = Chunks::new(Arc::clone(&lent));
        let chunk = chunks.take();
        let all = chunks.lend(chunk, CHUNK);
        let part = all.slice(10..20);
        drop(all);
        assert_eq!(lent.load(Ordering::Relaxed), CHUNK);
        drop(part);
        assert_eq!(lent.load(Ordering::Relaxed), 0);
        assert_eq!(chunks.pool.free.len(), 1);
        // The same chunk again: a short read gives it back at once.
        let chunk = chunks.take();
        assert!(chunks.pool.free.is_empty());
        let short = chunks.lend(chunk, 100);
        assert_eq!(lent.load(Ordering::Relaxed), 100);
        assert!(chunks.next.is_some());
        drop(short);
        assert_eq!(lent.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn few_free_chunks_are_kept() {
        let mut chunks = Chunks::new(Arc::default());
        let many: Vec<_> = (0..MOST_FREE + 5)
            .map(|_| {
                let chunk = chunks.take();
                chunks.lend(chunk, CHUNK)
            })
            .collect();
        drop(many);
        assert_eq!(chunks.pool.free.len(), MOST_FREE);
    }
}

//! A minimal allocator: a yardstick for benchmarks, not for use.
//!
//! Each thread has one list of free blocks per size class and takes new blocks
//! from its own chunk. Memory is never given back: not to the system, not to
//! another thread, not when a thread ends. There are no locks, no headers and
//! no checks, so a benchmark that runs at this speed spends its time elsewhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::{self, null_mut};

/// Larger blocks come from the system and are returned to it.
const LARGEST: usize = 1 << 20;
/// Bytes that a thread requests from the system at a time.
const CHUNK: usize = 1 << 20;
const CHUNK_LAYOUT: Layout = match Layout::from_size_align(CHUNK, ALIGN) {
    Ok(layout) => layout,
    Err(_) => panic!("the alignment is not a power of two"),
};
/// The alignment of every block; larger alignments come from the system.
const ALIGN: usize = 16;
/// Size classes are 16 bytes apart up to 1 KiB, then there are four per doubling.
const FINE: usize = 1 << 10;
const CLASSES: usize = FINE / ALIGN + 4 * (LARGEST / FINE).ilog2() as usize;

/// Thread-local free lists over chunks that are never returned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Floor;

/// A free block, which holds a pointer to the next one.
struct Free {
    next: *mut Free,
}

struct Thread {
    free: [Cell<*mut Free>; CLASSES],
    /// The unused part of the chunk.
    start: Cell<*mut u8>,
    left: Cell<usize>,
}

thread_local! {
    // Const-initialized and without a destructor, so using it never allocates.
    static THREAD: UnsafeCell<Thread> = const {
        UnsafeCell::new(Thread {
            free: [const { Cell::new(null_mut()) }; CLASSES],
            start: Cell::new(null_mut()),
            left: Cell::new(0),
        })
    };
}

/// Returns a size's class and the size of that class's blocks.
#[inline]
const fn class(size: usize) -> (usize, usize) {
    if size <= FINE {
        let sixteenths = size.div_ceil(ALIGN);
        (sixteenths - 1, sixteenths * ALIGN)
    } else {
        // Quarters of the power of two at or below size - 1.
        let power = (size - 1).ilog2();
        let quarter = (size - 1) >> (power - 2);
        let index = FINE / ALIGN + 4 * (power - FINE.ilog2()) as usize + (quarter - 4);
        (index, (quarter + 1) << (power - 2))
    }
}

const fn is_ours(layout: Layout) -> bool {
    layout.size() <= LARGEST && layout.align() <= ALIGN
}

impl Thread {
    #[inline]
    fn take(&self, size: usize) -> *mut u8 {
        let (class, size) = class(size);
        let block = self.free[class].get();
        if block.is_null() {
            return self.carve(size);
        }
        // SAFETY: a block in a list is free and was written by `put`.
        self.free[class].set(unsafe { (*block).next });
        block.cast()
    }

    #[inline]
    fn put(&self, block: *mut u8, size: usize) {
        let list = &self.free[class(size).0];
        let block: *mut Free = block.cast();
        // SAFETY: the block is free, aligned to 16 and at least 16 bytes long.
        unsafe { block.write(Free { next: list.get() }) };
        list.set(block);
    }

    #[cold]
    fn carve(&self, size: usize) -> *mut u8 {
        if self.left.get() < size {
            // SAFETY: the size is not zero.
            let chunk = unsafe { System.alloc(CHUNK_LAYOUT) };
            if chunk.is_null() {
                return chunk;
            }
            self.start.set(chunk);
            self.left.set(CHUNK);
        }
        let block = self.start.get();
        self.left.set(self.left.get() - size);
        // SAFETY: the chunk has at least `size` bytes left.
        self.start.set(unsafe { block.add(size) });
        block
    }
}

#[inline]
fn thread<R>(use_it: impl FnOnce(&Thread) -> R) -> R {
    // SAFETY: only shared references exist; the fields are cells.
    THREAD.with(|thread| use_it(unsafe { &*thread.get() }))
}

// SAFETY: a block is as large as its class, aligned to 16 like chunks and
// classes, and in no list while it is in use. It is released into the list of
// the class it was taken from: `realloc` keeps a block only within its class.
unsafe impl GlobalAlloc for Floor {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_ours(layout) {
            thread(|thread| thread.take(layout.size()))
        } else {
            // SAFETY: the caller's contract is the same.
            unsafe { System.alloc(layout) }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_ours(layout) {
            thread(|thread| thread.put(block, layout.size()));
        } else {
            // SAFETY: the caller's contract is the same.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        // SAFETY: by the caller's contract the new size is valid for the alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new, layout.align()) };
        match (is_ours(layout), is_ours(new_layout)) {
            (true, true) if class(layout.size()).0 == class(new).0 => return block,
            // SAFETY: the caller's contract is the same.
            (false, false) => return unsafe { System.realloc(block, layout, new) },
            _ => {}
        }
        // SAFETY: the new size is not zero, by the caller's contract.
        let target = unsafe { self.alloc(new_layout) };
        if !target.is_null() {
            // SAFETY: both blocks are live, do not overlap, and have at least this
            // many bytes; the old one is not used afterwards.
            unsafe {
                ptr::copy_nonoverlapping(block, target, layout.size().min(new));
                self.dealloc(block, layout);
            }
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[global_allocator]
    static GLOBAL: Floor = Floor;

    #[test]
    fn classes_are_dense_and_hold_their_sizes() {
        let mut seen = BTreeMap::new();
        for size in 1..=LARGEST {
            let (index, block) = class(size);
            assert!(block >= size && block % ALIGN == 0, "{size}");
            assert!(index < CLASSES, "{size}");
            assert_eq!(*seen.entry(index).or_insert(block), block, "{size}");
        }
        assert_eq!(seen.len(), CLASSES);
    }

    #[test]
    fn contents_survive_growth_shrinking_and_other_threads() {
        let model: Vec<Vec<u8>> = (0..200_u8)
            .map(|seed| vec![seed; usize::from(seed) * usize::from(seed) * 40 + 1])
            .collect();
        let grown = std::thread::spawn(|| {
            (0..200_u8)
                .map(|seed| {
                    let mut bytes = Vec::new();
                    for _ in 0..=usize::from(seed) * usize::from(seed) * 40 {
                        bytes.push(seed);
                    }
                    bytes.shrink_to_fit();
                    bytes
                })
                .collect::<Vec<_>>()
        })
        .join()
        .expect("the thread does not panic");
        assert_eq!(grown, model);
    }
}

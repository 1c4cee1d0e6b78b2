//! malloc and Rust's allocator, with the same patterns.

use std::alloc::{self, Layout};
use std::hint::black_box;
use std::io;
use std::marker::PhantomData;
use std::sync::mpsc;
use std::thread;

use super::threads::several;
use super::{Calls, Numbers, Row, Timed, repeat};
use crate::measure::Clock;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = patterns::<C>("malloc");
    rows.extend(patterns::<Rust>("Rust heap"));
    rows.push(Row::cpu("malloc: calloc and free, 4 KiB", calloc));
    rows
}

fn patterns<H: Heap>(theme: &str) -> Vec<Row> {
    let row = |what: &str| format!("{theme}: {what}");
    vec![
        Row::cpu(row("pair, 64 B"), pair::<H>),
        Row::cpu(row("pair, 256 KiB, written"), || repeat(large::<H>)),
        Row::cpu(row("window of 1,000"), window::<H>),
        Row::cpu(row("growth to 64 KiB"), || repeat(|| growth::<H>(64 << 10))),
        Row::cpu(row("growth to 4 MiB"), || repeat(|| growth::<H>(4 << 20))),
        Row::timed(row("pair, 64 B, several threads"), || several(pair::<H>)),
        Row::timed(row("window of 1,000, several threads"), || {
            several(window::<H>)
        }),
        Row::timed(row("freed by another thread"), handed_over::<H>),
    ]
}

fn pair<H: Heap>() -> io::Result<Calls> {
    repeat(|| drop(Block::<H>::new(64)))
}

fn window<H: Heap>() -> io::Result<Calls> {
    let mut window = Window::<H>::new();
    repeat(move || window.turn())
}

/// A block with one byte written per page before it is freed.
fn large<H: Heap>() {
    let mut block = Block::<H>::new(256 << 10);
    for page in 0..64 {
        block.write(page << 12);
    }
}

/// Grows a block as a vector grows.
fn growth<H: Heap>(limit: usize) {
    let mut block = Block::<H>::new(16);
    while block.size < limit {
        block.grow();
    }
}

/// One thread allocates, another one frees.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the preparation of a row may fail"
)]
fn handed_over<H: Heap>() -> io::Result<Timed> {
    const BATCH: u64 = 256;
    Ok(Box::new(|times| {
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel::<Vec<Block<H>>>(16);
            let freeing = scope.spawn(move || receiver.into_iter().for_each(drop));
            Clock::Wall.time(|| {
                let mut left = times;
                while left > 0 {
                    let batch = left.min(BATCH);
                    let size = |at| if at % 2 == 0 { 64 } else { 300 };
                    let blocks = (0..batch).map(|at| Block::new(size(at)));
                    sender.send(blocks.collect()).expect("freeing goes on");
                    left -= batch;
                }
                drop(sender);
                freeing.join().expect("freeing blocks does not panic");
            })
        })
    }))
}

fn calloc() -> io::Result<Calls> {
    repeat(|| {
        // SAFETY: the block is freed once.
        unsafe { libc::free(black_box(libc::calloc(1, 4096))) }
    })
}

/// Blocks of mixed sizes. Each turn frees one and allocates another in its place.
struct Window<H: Heap> {
    blocks: Vec<Block<H>>,
    sizes: Vec<usize>,
    places: Vec<usize>,
    at: usize,
}

impl<H: Heap> Window<H> {
    fn new() -> Self {
        let mut numbers = Numbers(7);
        // Most are small: from 8 to 2,048 bytes, each doubling equally likely.
        let sizes: Vec<_> = (0..4096)
            .map(|_| {
                let size = 8 << numbers.below(8);
                size + numbers.below(size)
            })
            .collect();
        let places = (0..4096).map(|_| numbers.below(1000)).collect();
        let blocks = sizes
            .iter()
            .take(1000)
            .map(|&size| Block::new(size))
            .collect();
        Self {
            blocks,
            sizes,
            places,
            at: 0,
        }
    }

    fn turn(&mut self) {
        self.at = (self.at + 1) % self.sizes.len();
        self.blocks[self.places[self.at]] = Block::new(self.sizes[self.at]);
    }
}

/// An allocator.
///
/// # Safety
///
/// `allocate` returns null or a block of that many bytes, which is valid until it is released;
/// `grow` returns null or such a block instead of the given one.
unsafe trait Heap: Send + 'static {
    fn allocate(size: usize) -> *mut u8;

    /// # Safety
    ///
    /// The block is live and has that size.
    unsafe fn grow(block: *mut u8, from: usize, to: usize) -> *mut u8;

    /// # Safety
    ///
    /// As for `grow`.
    unsafe fn release(block: *mut u8, size: usize);
}

struct C;

// SAFETY: the C standard guarantees this.
unsafe impl Heap for C {
    fn allocate(size: usize) -> *mut u8 {
        // SAFETY: malloc accepts any size.
        unsafe { libc::malloc(size).cast() }
    }

    unsafe fn grow(block: *mut u8, _: usize, to: usize) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { libc::realloc(block.cast(), to).cast() }
    }

    unsafe fn release(block: *mut u8, _: usize) {
        // SAFETY: the caller's contract is the same.
        unsafe { libc::free(block.cast()) }
    }
}

struct Rust;

/// The layout of bytes, the alignment of a byte vector or string.
fn layout(size: usize) -> Layout {
    Layout::array::<u8>(size).expect("no row has blocks that large")
}

// SAFETY: Rust's allocator guarantees this.
unsafe impl Heap for Rust {
    fn allocate(size: usize) -> *mut u8 {
        // SAFETY: no row has blocks of size zero.
        unsafe { alloc::alloc(layout(size)) }
    }

    unsafe fn grow(block: *mut u8, from: usize, to: usize) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { alloc::realloc(block, layout(from), to) }
    }

    unsafe fn release(block: *mut u8, size: usize) {
        // SAFETY: the caller's contract is the same.
        unsafe { alloc::dealloc(block, layout(size)) }
    }
}

/// A live block. It goes through `black_box`, because a compiler may remove an allocation that is
/// not used.
struct Block<H: Heap> {
    start: *mut u8,
    size: usize,
    heap: PhantomData<H>,
}

// SAFETY: blocks may be freed by any thread.
unsafe impl<H: Heap> Send for Block<H> {}

impl<H: Heap> Block<H> {
    #[inline]
    fn new(size: usize) -> Self {
        let start = black_box(H::allocate(black_box(size)));
        assert!(!start.is_null(), "out of memory");
        let mut block = Self {
            start,
            size,
            heap: PhantomData,
        };
        block.write(0);
        block
    }

    /// Doubles the block and writes the new half, as a vector does: how much is moved and which
    /// pages are touched depend on it.
    #[inline]
    fn grow(&mut self) {
        let (old, size) = (self.size, 2 * self.size);
        // SAFETY: the block is live and has this size.
        let start = black_box(unsafe { H::grow(self.start, old, size) });
        assert!(!start.is_null(), "out of memory");
        (self.start, self.size) = (start, size);
        // SAFETY: the new half of the block.
        unsafe { self.start.add(old).write_bytes(1, old) };
        black_box(self.start);
    }

    #[inline]
    fn write(&mut self, at: usize) {
        assert!(at < self.size);
        // SAFETY: within the block, which is live.
        unsafe { self.start.add(at).write_volatile(1) }
    }
}

impl<H: Heap> Drop for Block<H> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the block is live, has this size, and is not used again.
        unsafe { H::release(self.start, self.size) }
    }
}

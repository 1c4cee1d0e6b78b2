//! Random allocation, reallocation and release on many threads, with blocks
//! passed between them. Each block is filled with one byte value, so a write
//! past the end of another block shows. After each step the test checks that
//! the block has exactly the size class under which Rust will release it.
#![cfg(unix)]

use sized_jemalloc::SizedJemalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::sync::Mutex;
use std::{env, process::Command, slice, thread};
use tikv_jemalloc_sys as ffi;

#[global_allocator]
static GLOBAL: SizedJemalloc = SizedJemalloc;

struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        // xorshift64*, by Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() >> 33).expect("31 bits") % end
    }

    /// Equally many between 2^k and 2^(k+1) for each k; few large ones.
    fn size(&mut self) -> usize {
        let largest = if self.below(400) == 0 { 22 } else { 16 };
        let base = 1 << self.below(largest);
        base + self.below(base)
    }

    /// Includes sizes near the old one, where classes may be shared, and the
    /// doubling of a growing vector.
    fn new_size(&mut self, old: usize) -> usize {
        match self.below(4) {
            0 => self.size(),
            1 if old <= 1 << 20 => old * 2,
            _ => (old + self.below(2 + old / 4))
                .saturating_sub(old / 8)
                .max(1),
        }
    }

    fn align(&mut self) -> usize {
        let largest = if self.below(8) == 0 { 17 } else { 5 };
        1 << self.below(largest)
    }
}

/// A live block filled with `byte`.
struct Block {
    start: *mut u8,
    layout: Layout,
    byte: u8,
}

// SAFETY: it is the only owner of its memory, which any thread may use.
unsafe impl Send for Block {}

impl Block {
    fn new(random: &mut Random) -> Self {
        let layout = Layout::from_size_align(random.size(), random.align()).expect("it is small");
        let zeroed = random.below(4) == 0;
        // SAFETY: no size is zero.
        let start = unsafe {
            if zeroed {
                GLOBAL.alloc_zeroed(layout)
            } else {
                GLOBAL.alloc(layout)
            }
        };
        let mut block = Self {
            start,
            layout,
            byte: 0,
        };
        block.check_place();
        if zeroed {
            block.check(layout.size());
        }
        block.fill(random);
        block
    }

    fn fill(&mut self, random: &mut Random) {
        self.byte = random.bits().to_le_bytes()[7];
        // SAFETY: the block is live and has this many bytes, if the allocator
        // under test is right.
        unsafe { self.start.write_bytes(self.byte, self.layout.size()) };
    }

    /// Checks that the first bytes, which were filled, are unchanged.
    fn check(&self, length: usize) {
        assert!(length <= self.layout.size());
        // SAFETY: the block is live and has this many bytes, which the caller
        // has filled.
        let bytes = unsafe { slice::from_raw_parts(self.start, length) };
        let wrong = bytes.iter().position(|&found| found != self.byte);
        assert_eq!(wrong, None, "overwritten: {:?}", self.layout);
    }

    /// Checks that jemalloc has the block in exactly the class under which it
    /// will be released.
    fn check_place(&self) {
        let (size, align) = (self.layout.size(), self.layout.align());
        assert!(!self.start.is_null());
        assert_eq!(self.start.addr() % align, 0, "{:?}", self.layout);
        let flags = if align <= 16 && align <= size {
            0
        } else {
            ffi::MALLOCX_ALIGN(align)
        };
        // SAFETY: the block is live, and the size is not zero.
        let (has, is_released_as) = unsafe {
            (
                ffi::sallocx(self.start.cast(), 0),
                ffi::nallocx(size, flags),
            )
        };
        assert!(has >= size, "{:?} has {has}", self.layout);
        assert_eq!(has, is_released_as, "{:?}", self.layout);
    }

    fn resize(&mut self, random: &mut Random) {
        let new = random.new_size(self.layout.size());
        self.resize_to(new, random);
    }

    fn resize_to(&mut self, new: usize, random: &mut Random) {
        let old = self.layout;
        // SAFETY: the block is live with this layout, and the size is not zero.
        self.start = unsafe { GLOBAL.realloc(self.start, old, new) };
        self.layout = Layout::from_size_align(new, old.align()).expect("it is small");
        self.check_place();
        self.check(new.min(old.size()));
        self.fill(random);
    }

    fn release(self) {
        self.check(self.layout.size());
        // SAFETY: the block is live with this layout, and `self` was its owner.
        unsafe { GLOBAL.dealloc(self.start, self.layout) }
    }
}

fn steps(seed: u64, count: usize, shared: &Mutex<Vec<Block>>) {
    let mut random = Random(seed);
    let mut own: Vec<Block> = Vec::new();
    for _ in 0..count {
        let step = random.below(8);
        if own.is_empty() || (step < 2 && own.len() < 300) {
            own.push(Block::new(&mut random));
            continue;
        }
        let chosen = random.below(own.len());
        match step {
            2 => own.swap_remove(chosen).release(),
            // To another thread, or from one.
            3 => {
                let mut others = shared.lock().expect("no thread has failed");
                others.push(own.swap_remove(chosen));
                let taken = random.below(others.len());
                own.push(others.swap_remove(taken));
            }
            _ => own[chosen].resize(&mut random),
        }
    }
    own.into_iter().for_each(Block::release);
}

#[test]
fn blocks_keep_their_contents() {
    let count = if cfg!(debug_assertions) {
        30_000
    } else {
        100_000
    };
    let shared = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for seed in 1..=8 {
            let shared = &shared;
            scope.spawn(move || steps(seed * 0x9e37_79b9, count, shared));
        }
    });
    let left = shared.into_inner().expect("no thread has failed");
    left.into_iter().for_each(Block::release);
}

fn grow_and_shrink(random: &mut Random, largest: usize) {
    let layout = Layout::new::<u8>();
    // SAFETY: the size is not zero.
    let start = unsafe { GLOBAL.alloc(layout) };
    let mut block = Block {
        start,
        layout,
        byte: 0,
    };
    block.fill(random);
    while block.layout.size() < largest {
        let new = block.layout.size() * 2 + random.below(3);
        block.resize_to(new, random);
    }
    while block.layout.size() > 2 {
        block.resize_to(block.layout.size() / 3 + 1, random);
    }
    block.release();
}

#[test]
fn growth_past_every_threshold() {
    thread::scope(|scope| {
        for seed in 1..=4 {
            scope.spawn(move || {
                for _ in 0..3 {
                    grow_and_shrink(&mut Random(seed), 24 << 20);
                }
            });
        }
    });
}

#[test]
fn without_memory_the_block_stays() {
    let mut random = Random(5);
    for size in [1, 100, 20_000, 600_000] {
        let layout = Layout::from_size_align(size, 1).expect("it is small");
        // SAFETY: no size is zero.
        let start = unsafe { GLOBAL.alloc(layout) };
        let mut block = Block {
            start,
            layout,
            byte: 0,
        };
        block.fill(&mut random);
        let huge = isize::MAX.unsigned_abs() / 2;
        // SAFETY: the block is live with this layout, and the new size is allowed.
        let grown = unsafe { GLOBAL.realloc(block.start, layout, huge) };
        assert!(grown.is_null());
        block.check_place();
        block.release();
    }
}

/// If there are too few addresses for the reserve, growth still succeeds.
#[test]
fn growth_with_few_addresses() {
    const NAME: &str = "growth_with_few_addresses";
    if env::var_os("FEW_ADDRESSES").is_some() {
        return grow_and_shrink(&mut Random(7), 60 << 20);
    }
    let run = Command::new("sh")
        // KiB. Growth from 32 to 64 MiB fits, a reserve of 256 MiB does not.
        .args(["-c", "ulimit -v 400000 && exec \"$0\" \"$@\""])
        .arg(env::current_exe().expect("this test has a file"))
        .args(["--exact", NAME, "--test-threads=1"])
        .env("FEW_ADDRESSES", "1")
        .status();
    assert!(run.expect("it runs").success());
}

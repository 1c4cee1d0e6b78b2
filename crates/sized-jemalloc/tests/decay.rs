//! Freed memory is returned to the system ten seconds later if `decay` is called.
#![cfg(target_os = "linux")]

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use sized_jemalloc::{SizedJemalloc, decay};

#[global_allocator]
static GLOBAL: SizedJemalloc = SizedJemalloc;

const MIB: usize = 1 << 20;

/// Resident memory in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.expect("a figure").parse::<usize>().expect("a number") * 1024
}

#[test]
fn what_was_freed_goes_back() {
    let before = resident();
    // Below and above the 8 MiB from which jemalloc uses a separate arena.
    for size in [4 * MIB, 256 * MIB] {
        let blocks: Vec<_> = (0..256 * MIB / size).map(|_| vec![1_u8; size]).collect();
        assert!(resident() >= before + 250 * MIB);
        drop(black_box(blocks));
    }
    for _ in 0..12 {
        decay();
        thread::sleep(Duration::from_secs(1));
    }
    let after = resident();
    assert!(after <= before + 4 * MIB, "{before} before, {after} after");
}

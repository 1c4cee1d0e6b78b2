//! The memory routines against a naive reference, in a static musl executable.
//!
//! Miri runs it as well, with `cargo miri test --target x86_64-unknown-linux-musl --test memory`
//! (which takes the SSE2 paths) and for `aarch64-unknown-linux-musl`; it runs fewer cases, because
//! it is slow. Without Miri, all tests run again in new processes: without vectors of 64 bytes, and
//! with SSE2 alone.
#![cfg(all(feature = "memory", replaced))]

#[cfg(not(miri))]
mod again;
#[cfg(not(miri))]
mod guarded;

use std::ffi::{c_int, c_void};
use std::hint::black_box;

use fast_musl::memory;
#[cfg(not(miri))]
use guarded::Guarded;

/// The longest of [`lengths`], above all thresholds.
const LONGEST: usize = 4400;

/// Called by each test before the first routine.
fn prepare() {
    #[cfg(not(miri))]
    match again::features().as_deref() {
        Some("narrow") => memory::use_narrow(),
        Some("baseline") => memory::use_baseline(),
        _ => {}
    }
}

#[test]
#[cfg(all(not(miri), target_arch = "x86_64"))]
fn all_of_this_with_narrow_vectors() {
    again::run("narrow");
}

#[test]
#[cfg(all(not(miri), target_arch = "x86_64"))]
fn all_of_this_with_the_baseline() {
    again::run("baseline");
}

/// Lengths of every kind: all short ones, then those around each power of two and threshold.
fn lengths() -> impl Iterator<Item = usize> {
    let dense = if cfg!(miri) { 0..=19 } else { 0..=600 };
    let around: &[usize] = if cfg!(miri) {
        &[32, 64, 80, 128, 200]
    } else {
        &[768, 1000, 1024, 2048, 3072, 4096, 4397]
    };
    let sparse = around.iter().flat_map(|&n| n - 3..=n + 3);
    dense.chain(sparse)
}

/// Pairs of alignments: every one with 0, 1 and 37, and every one with itself.
fn alignments() -> impl Iterator<Item = (usize, usize)> {
    let step = if cfg!(miri) { 21 } else { 1 };
    (0..64).step_by(step).flat_map(|at| {
        [
            (at, 0),
            (at, 1),
            (at, 37),
            (0, at),
            (1, at),
            (37, at),
            (at, at),
            (at, 63 - at),
        ]
    })
}

/// Copies byte by byte, volatile so the compiler does not turn it into `memcpy`. (Miri has its own
/// copy, which is faster.)
fn naive_copy(to: &mut [u8], from: &[u8]) {
    if cfg!(miri) {
        to.copy_from_slice(from);
        return;
    }
    for (to, from) in to.iter_mut().zip(from) {
        // SAFETY: both are references.
        unsafe { (&raw mut *to).write_volatile((&raw const *from).read_volatile()) };
    }
}

fn naive_fill(to: &mut [u8], byte: u8) {
    if cfg!(miri) {
        to.fill(byte);
        return;
    }
    for to in to {
        // SAFETY: it is a reference.
        unsafe { (&raw mut *to).write_volatile(byte) };
    }
}

/// Returns the difference between the first bytes that differ.
fn naive_compare(a: &[u8], b: &[u8]) -> c_int {
    if cfg!(miri) {
        return a.cmp(b) as c_int;
    }
    for (a, b) in a.iter().zip(b) {
        // SAFETY: both are references.
        let (a, b) = unsafe {
            (
                (&raw const *a).read_volatile(),
                (&raw const *b).read_volatile(),
            )
        };
        if a != b {
            return c_int::from(a) - c_int::from(b);
        }
    }
    0
}

/// Panics at the first difference, found without the tested routines.
#[track_caller]
fn assert_same(is: &[u8], expected: &[u8], what: impl Fn() -> String) {
    assert_eq!(is.len(), expected.len());
    assert_eq!(naive_compare(is, expected), 0, "{}", what());
}

/// Bytes without a period that could hide errors in a routine's blocks.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

type Copy = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void;
type Compare = unsafe extern "C" fn(*const c_void, *const c_void, usize) -> c_int;

const COPIES: [Copy; 2] = [memory::memcpy, memory::memmove];

/// Copies `slice[from..from + n]` to `slice[to..to + n]`.
fn copy_within(copy: Copy, slice: &mut [u8], to: usize, from: usize, n: usize) {
    assert!(to + n <= slice.len() && from + n <= slice.len());
    let start = slice.as_mut_ptr();
    // SAFETY: both ranges are within the slice.
    unsafe {
        let to = start.add(to).cast();
        assert_eq!(black_box(copy)(to, start.add(from).cast(), n), to);
    }
}

fn fill(slice: &mut [u8], byte: c_int) {
    // The compiler knows that memset returns its argument, and would not check.
    let memset = black_box(memory::memset as unsafe extern "C" fn(_, _, _) -> _);
    let start: *mut c_void = slice.as_mut_ptr().cast();
    // SAFETY: it is a slice.
    assert_eq!(unsafe { memset(start, byte, slice.len()) }, start);
}

fn compare(compare: Compare, a: &[u8], b: &[u8]) -> c_int {
    assert_eq!(a.len(), b.len());
    // SAFETY: both are slices of that length.
    unsafe { compare(a.as_ptr().cast(), b.as_ptr().cast(), a.len()) }
}

/// Otherwise the other tests would say nothing about real programs.
#[test]
#[cfg(not(miri))]
fn symbols_are_ours() {
    unsafe extern "C" {
        fn memcpy(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void;
        fn memmove(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void;
        fn memset(dst: *mut c_void, byte: c_int, n: usize) -> *mut c_void;
        fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
        fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
    }
    let linked = [
        memcpy as *const (),
        memmove as _,
        memset as _,
        memcmp as _,
        bcmp as _,
    ];
    let ours = [
        memory::memcpy as *const (),
        memory::memmove as _,
        memory::memset as _,
        memory::memcmp as _,
        memory::bcmp as _,
    ];
    assert_eq!(linked, ours);
}

#[test]
fn copies() {
    prepare();
    let source = noise(LONGEST + 256, 1);
    let mut is = vec![0; LONGEST + 256];
    let mut expected = is.clone();
    for n in lengths() {
        for (to, from) in alignments().step_by(if n > 300 { 5 } else { 1 }) {
            for copy in COPIES {
                let window = n + 128;
                naive_fill(&mut is[..window], 0xa5);
                naive_fill(&mut expected[..window], 0xa5);
                // SAFETY: the vectors have room for 64 + LONGEST bytes.
                unsafe {
                    let to = is.as_mut_ptr().add(to).cast();
                    assert_eq!(black_box(copy)(to, source.as_ptr().add(from).cast(), n), to);
                }
                naive_copy(&mut expected[to..to + n], &source[from..from + n]);
                assert_same(&is[..window], &expected[..window], || {
                    format!("{n} bytes from {from} to {to}")
                });
            }
        }
    }
}

#[test]
fn moves_that_overlap() {
    prepare();
    let source = noise(3 * LONGEST, 2);
    let mut is = source.clone();
    let mut expected = source.clone();
    let distances = [
        0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 100, 127, 128, 129,
        255, 1000,
    ];
    for n in lengths() {
        let step = if cfg!(miri) { 5 } else { 1 };
        for distance in distances
            .into_iter()
            .step_by(step)
            .chain([n / 2, n.saturating_sub(1), n])
        {
            for at in [0, 1, 15, 30]
                .into_iter()
                .take(if cfg!(miri) { 1 } else { 4 })
            {
                let low = 64 + at;
                let high = low + distance;
                let window = high + n + 64;
                for (to, from) in [(low, high), (high, low)] {
                    naive_copy(&mut is[..window], &source[..window]);
                    naive_copy(&mut expected[..window], &source[..window]);
                    copy_within(memory::memmove, &mut is, to, from, n);
                    naive_copy(&mut expected[to..to + n], &source[from..from + n]);
                    assert_same(&is[..window], &expected[..window], || {
                        format!("{n} bytes from {from} to {to}")
                    });
                }
            }
        }
    }
}

#[test]
fn fills() {
    prepare();
    let mut is = vec![0; LONGEST + 256];
    let mut expected = is.clone();
    for n in lengths() {
        for at in (0..64).step_by(if cfg!(miri) { 21 } else { 1 }) {
            // The value is truncated to eight bits.
            for byte in [0, 1, 0x5a, 0x80, 0xff, -1, -128, 0x1234] {
                let window = n + 128;
                naive_fill(&mut is[..window], 0x77);
                naive_fill(&mut expected[..window], 0x77);
                fill(&mut is[at..at + n], byte);
                naive_fill(&mut expected[at..at + n], byte.to_le_bytes()[0]);
                assert_same(&is[..window], &expected[..window], || {
                    format!("{n} bytes of {byte} at {at}")
                });
            }
        }
    }
}

#[test]
fn compares_each_position() {
    prepare();
    let source = noise(LONGEST + 256, 3);
    let mut other = vec![0; LONGEST + 256];
    for n in lengths() {
        let few = [(0, 0), (1, 0), (0, 9), (31, 17), (63, 63), (5, 60)];
        for (at, from) in few.into_iter().take(if cfg!(miri) { 2 } else { 6 }) {
            let a = &source[from..from + n];
            naive_copy(&mut other[at..at + n], a);
            // The bytes before and after differ, and must not matter.
            other[at + n] = !source[from + n];
            assert_eq!(compare(memory::memcmp, a, &other[at..at + n]), 0, "{n}");
            assert_eq!(compare(memory::bcmp, a, &other[at..at + n]), 0, "{n}");
            for position in (0..n).step_by(if n > 600 { 7 } else { 1 }) {
                let b = &mut other[at..at + n];
                let byte = b[position];
                for changed in [byte ^ 0x80, byte ^ 0x01] {
                    b[position] = changed;
                    // A later difference in the other direction must not count.
                    let last = b[n - 1];
                    if position < n - 1 {
                        b[n - 1] = if changed > byte { 0 } else { 255 };
                    }
                    let expected = if byte < changed { -1 } else { 1 };
                    assert_eq!(
                        compare(memory::memcmp, a, b).signum(),
                        expected,
                        "{n} at {position}"
                    );
                    assert_eq!(
                        compare(memory::memcmp, b, a).signum(),
                        -expected,
                        "{n} at {position}"
                    );
                    assert_ne!(compare(memory::bcmp, a, b), 0, "{n} at {position}");
                    if position < n - 1 {
                        b[n - 1] = last;
                    }
                }
                b[position] = byte;
            }
        }
    }
}

#[test]
fn compares_all_alignments() {
    prepare();
    let source = noise(1024, 4);
    let mut other = vec![0; 1024];
    for n in [
        1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 200, 257, 400,
    ] {
        for (at, from) in alignments() {
            let (a, b) = (&source[from..from + n], &mut other[at..at + n]);
            naive_copy(b, a);
            assert_eq!(compare(memory::memcmp, a, b), 0);
            assert_eq!(compare(memory::bcmp, a, b), 0);
            for position in [0, n / 2, n - 1] {
                b[position] ^= 0xc0;
                let expected = naive_compare(a, b).signum();
                assert_eq!(compare(memory::memcmp, a, b).signum(), expected);
                assert_ne!(compare(memory::bcmp, a, b), 0);
                b[position] ^= 0xc0;
            }
        }
    }
}

/// Another thread changes the areas during the comparison: any result is allowed, but there must be
/// one.
#[test]
#[cfg(not(miri))]
fn compares_what_changes_meanwhile() {
    use std::sync::atomic::{AtomicBool, Ordering};

    prepare();

    for n in [17, 40, 64, 100, 300, 4096] {
        let a = vec![0_u8; n];
        let mut b = vec![0_u8; n];
        let (a, b) = (
            a.as_ptr().expose_provenance(),
            b.as_mut_ptr().expose_provenance(),
        );
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let last = std::ptr::with_exposed_provenance_mut::<u8>(b + n - 1);
                while !stop.load(Ordering::Relaxed) {
                    // SAFETY: the area outlives the thread. It is read at the same time, by code
                    // that C allows to return anything in this case.
                    unsafe {
                        last.write_volatile(1);
                        last.write_volatile(0);
                    }
                }
            });
            for _ in 0..200_000 {
                // SAFETY: both areas are alive.
                unsafe {
                    memory::memcmp(
                        std::ptr::with_exposed_provenance(a),
                        std::ptr::with_exposed_provenance(b),
                        n,
                    )
                };
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}

/// Bytes above 127 are greater than those below.
#[test]
fn compares_unsigned() {
    prepare();
    for n in [1, 2, 3, 4, 8, 16, 40, 100, 300] {
        for position in [0, n / 2, n - 1] {
            for (low, high) in [(0x7f, 0x80), (0, 0xff), (1, 0x81), (0xfe, 0xff)] {
                let (mut a, mut b) = (vec![0x33; n], vec![0x33; n]);
                (a[position], b[position]) = (low, high);
                assert!(compare(memory::memcmp, &a, &b) < 0);
                assert!(compare(memory::memcmp, &b, &a) > 0);
            }
        }
    }
}

/// The C standard requires valid pointers even then, Rust's compiler does not.
#[test]
fn nothing_at_null() {
    prepare();
    let null = std::ptr::null_mut();
    // SAFETY: no byte is read or written.
    unsafe {
        assert_eq!(memory::memcpy(null, null, 0), null);
        assert_eq!(memory::memmove(null, null, 0), null);
        assert_eq!(memory::memset(null, 1, 0), null);
        assert_eq!(memory::memcmp(null, null, 0), 0);
        assert_eq!(memory::bcmp(null, null, 0), 0);
    }
}

/// Pointers keep their provenance, which a copy through integers would lose; Miri would report it.
#[test]
fn pointers_survive() {
    prepare();
    for n in [1, 2, 3, 4, 7, 8, 12, 16, 17, 40] {
        let values: Vec<usize> = (0..n).collect();
        let from: Vec<&usize> = values.iter().collect();
        let mut to = vec![&0; n];
        // SAFETY: two vectors of n references, which may be copied.
        unsafe {
            memory::memcpy(
                to.as_mut_ptr().cast(),
                from.as_ptr().cast(),
                size_of_val(&from[..]),
            )
        };
        assert!(to.into_iter().eq(&values));
    }
}

#[test]
#[cfg(not(miri))]
fn large() {
    prepare();
    for n in [1 << 20, (5 << 20) + 12_345] {
        for (to, from) in [(0, 0), (3, 61)] {
            let source = noise(n + 64, 5);
            let mut is = vec![0xa5; n + 128];
            let mut expected = is.clone();
            for copy in COPIES {
                // SAFETY: both have room.
                unsafe {
                    let to = is.as_mut_ptr().add(to).cast();
                    assert_eq!(black_box(copy)(to, source.as_ptr().add(from).cast(), n), to);
                }
                naive_copy(&mut expected[to..to + n], &source[from..from + n]);
                assert_same(&is, &expected, || format!("{n} bytes from {from} to {to}"));
                assert_eq!(
                    compare(memory::memcmp, &is[to..to + n], &source[from..from + n]),
                    0
                );
                fill(&mut is[to..to + n], 0x3c);
                naive_fill(&mut expected[to..to + n], 0x3c);
                assert_same(&is, &expected, || format!("{n} bytes at {to}"));
            }
            for distance in [1, 4096, n / 2] {
                for (to, from) in [(to, to + distance), (to + distance, to)] {
                    let mut is = noise(n + 64, 6);
                    let mut expected = is.clone();
                    let n = n - distance;
                    let moved = expected[from..from + n].to_vec();
                    copy_within(memory::memmove, &mut is, to, from, n);
                    naive_copy(&mut expected[to..to + n], &moved);
                    assert_same(&is, &expected, || format!("{n} bytes from {from} to {to}"));
                }
            }
            let mut other = source.clone();
            other[n - 1] ^= 0x80;
            let expected = naive_compare(&source[..n], &other[..n]).signum();
            assert_eq!(
                compare(memory::memcmp, &source[..n], &other[..n]).signum(),
                expected
            );
            assert_ne!(compare(memory::bcmp, &source[..n], &other[..n]), 0);
        }
    }
}

/// An access out of bounds would end the test with SIGSEGV.
#[test]
#[cfg(not(miri))]
fn stays_within_pages() {
    prepare();
    let (mut first, mut second) = (Guarded::new(5 << 20), Guarded::new(5 << 20));
    let large = [(1 << 20) - 1, (1 << 20) + 77, (4 << 20) + 12_345];
    for n in lengths().chain(large) {
        for (at, from) in [(false, false), (false, true), (true, false), (true, true)] {
            let (a, b) = (first.edge(n, at), second.edge(n, from));
            fill(a, 0x11);
            fill(b, 0x22);
            assert!(b.iter().all(|&byte| byte == 0x22));
            for copy in COPIES {
                // SAFETY: two slices of that length.
                unsafe { copy(a.as_mut_ptr().cast(), b.as_ptr().cast(), n) };
                assert!(a.iter().all(|&byte| byte == 0x22));
            }
            assert_eq!(compare(memory::memcmp, a, b), 0);
            assert_eq!(compare(memory::bcmp, a, b), 0);
            if n > 0 {
                for position in [0, n / 2, n - 1] {
                    a[position] = 0x80;
                    assert!(compare(memory::memcmp, a, b) > 0);
                    assert_ne!(compare(memory::bcmp, a, b), 0);
                    a[position] = 0x22;
                }
                // Moves up to both edges, with overlapping areas.
                let whole = first.edge(n, at);
                copy_within(memory::memmove, whole, 1, 0, n - 1);
                copy_within(memory::memmove, whole, 0, 1, n - 1);
                copy_within(memory::memmove, whole, n / 3, 0, n - n / 3);
                copy_within(memory::memmove, whole, 0, n / 3, n - n / 3);
            }
        }
    }
}

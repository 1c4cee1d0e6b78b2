//! The string routines against a naive reference, in a static musl executable.
//!
//! Miri runs it as well, with `cargo miri test --target x86_64-unknown-linux-musl --test strings`
//! (which takes the SSE2 paths) and for `aarch64-unknown-linux-musl`; it runs fewer cases, because
//! it is slow. Without Miri, all tests run a second time in a process that takes the SSE2 paths.
#![cfg(all(feature = "strings", replaced))]

#[cfg(not(miri))]
mod again;
#[cfg(not(miri))]
mod guarded;

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_void};

use fast_musl::strings;
#[cfg(not(miri))]
use guarded::Guarded;

/// The longest of [`lengths`], above all thresholds.
const LONGEST: usize = 4400;

/// Lengths of every kind: all short ones, then those around multiples of four vectors.
fn lengths() -> impl Iterator<Item = usize> {
    let dense = if cfg!(miri) { 0..=19 } else { 0..=300 };
    let around: &[usize] = if cfg!(miri) {
        &[32, 64, 80, 128, 200]
    } else {
        &[384, 512, 640, 1024, 4096, 4397]
    };
    let sparse = around.iter().flat_map(|&n| n - 3..=n + 3);
    dense.chain(sparse)
}

fn alignments() -> impl Iterator<Item = usize> {
    (0..64).step_by(if cfg!(miri) { 21 } else { 1 })
}

/// Called by each test before the first routine.
fn prepare() {
    #[cfg(not(miri))]
    if again::features().is_some() {
        strings::use_baseline();
    }
}

/// Runs all other tests again, without AVX2.
#[test]
#[cfg(all(not(miri), target_arch = "x86_64"))]
fn all_of_this_with_the_baseline() {
    again::run("baseline");
}

/// Bytes whose vectors are all within the allocation, because Miri knows nothing of pages.
#[repr(align(256))]
#[derive(Clone, Copy)]
struct Lines(#[allow(dead_code, reason = "it is seen as bytes")] [u8; 256]);

struct Memory(Vec<Lines>);

impl Memory {
    /// At least `len` bytes and 256 more.
    fn new(len: usize) -> Self {
        Self(vec![Lines([0; 256]); len.div_ceil(256) + 1])
    }

    fn bytes(&mut self) -> &mut [u8] {
        let len = size_of_val(&self.0[..]);
        // SAFETY: they are bytes without padding.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), len) }
    }
}

/// Pseudorandom numbers.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % n
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("it is below 256")
    }
}

/// Reads a byte, volatile so the compiler does not turn a naive loop into a call to a routine.
fn read(s: &[u8], at: usize) -> u8 {
    // SAFETY: it is a reference.
    unsafe { (&raw const s[at]).read_volatile() }
}

fn naive_length(s: &[u8]) -> usize {
    naive_find(s, 0).expect("it is a string")
}

fn naive_find(s: &[u8], byte: u8) -> Option<usize> {
    (0..s.len()).find(|&at| read(s, at) == byte)
}

fn naive_find_last(s: &[u8], byte: u8) -> Option<usize> {
    (0..s.len()).rfind(|&at| read(s, at) == byte)
}

fn naive_compare(a: &[u8], b: &[u8], n: usize) -> Ordering {
    for at in 0..n {
        let (a, b) = (read(a, at), read(b, at));
        if a != b || a == 0 {
            return a.cmp(&b);
        }
    }
    Ordering::Equal
}

fn naive_compare_folded(a: &[u8], b: &[u8], n: usize) -> Ordering {
    let fold = |bytes: &[u8]| bytes.to_ascii_lowercase();
    naive_compare(&fold(a), &fold(b), n)
}

/// Returns the number of bytes before the first that is not in the set, or is in it, or before the
/// end.
fn naive_span(s: &[u8], set: &[u8], within: bool) -> usize {
    let set = &set[..naive_length(set)];
    let is_in = |byte| naive_find(set, byte).is_some();
    (0..s.len())
        .find(|&at| read(s, at) == 0 || is_in(read(s, at)) != within)
        .expect("it is a string")
}

fn naive_search(s: &[u8], needle: &[u8]) -> Option<usize> {
    let last = s.len().checked_sub(needle.len())?;
    (0..=last).find(|&at| (0..needle.len()).all(|i| read(s, at + i) == read(needle, i)))
}

// The routines for slices. The byte after the slice is not zero, and the slice has a zero if the
// routine needs one; the tests ensure both.

fn index<T>(s: &[u8], found: *const T) -> Option<usize> {
    (!found.is_null()).then(|| found.addr() - s.as_ptr().addr())
}

fn strlen(s: &[u8]) -> usize {
    // SAFETY: it is a string; likewise below.
    unsafe { strings::strlen(s.as_ptr().cast()) }
}

fn strnlen(s: &[u8], n: usize) -> usize {
    // SAFETY: see above.
    unsafe { strings::strnlen(s.as_ptr().cast(), n) }
}

fn memchr(s: &[u8], byte: impl Into<c_int>, n: usize) -> Option<usize> {
    // SAFETY: see above.
    index(s, unsafe {
        strings::memchr(s.as_ptr().cast(), byte.into(), n)
    })
}

fn memrchr(s: &[u8], byte: impl Into<c_int>) -> Option<usize> {
    let byte = byte.into();
    // SAFETY: it is a slice.
    let found = unsafe { strings::memrchr(s.as_ptr().cast(), byte, s.len()) };
    // SAFETY: see above.
    let hidden = unsafe { strings::__memrchr(s.as_ptr().cast(), byte, s.len()) };
    assert_eq!(found, hidden);
    index(s, found)
}

fn strchr(s: &[u8], byte: impl Into<c_int>) -> Option<usize> {
    // SAFETY: see above.
    index(s, unsafe {
        strings::strchr(s.as_ptr().cast(), byte.into())
    })
}

fn strchrnul(s: &[u8], byte: impl Into<c_int>) -> usize {
    let byte = byte.into();
    // SAFETY: see above.
    let found = unsafe { strings::strchrnul(s.as_ptr().cast(), byte) };
    // SAFETY: see above.
    assert_eq!(found, unsafe {
        strings::__strchrnul(s.as_ptr().cast(), byte)
    });
    index(s, found).expect("strchrnul finds the end at least")
}

fn strrchr(s: &[u8], byte: impl Into<c_int>) -> Option<usize> {
    // SAFETY: see above.
    index(s, unsafe {
        strings::strrchr(s.as_ptr().cast(), byte.into())
    })
}

fn strspn(s: &[u8], set: &[u8]) -> usize {
    // SAFETY: see above.
    unsafe { strings::strspn(s.as_ptr().cast(), set.as_ptr().cast()) }
}

/// Calls `strcspn`, and `strpbrk`, which searches for the same byte.
fn strcspn(s: &[u8], set: &[u8]) -> usize {
    // SAFETY: see above.
    let at = unsafe { strings::strcspn(s.as_ptr().cast(), set.as_ptr().cast()) };
    // SAFETY: see above.
    let found = unsafe { strings::strpbrk(s.as_ptr().cast(), set.as_ptr().cast()) };
    assert_eq!(index(s, found), (s[at] != 0).then_some(at));
    at
}

fn strcmp(a: &[u8], b: &[u8]) -> Ordering {
    // SAFETY: see above.
    unsafe { strings::strcmp(a.as_ptr().cast(), b.as_ptr().cast()) }.cmp(&0)
}

fn strncmp(a: &[u8], b: &[u8], n: usize) -> Ordering {
    // SAFETY: see above.
    unsafe { strings::strncmp(a.as_ptr().cast(), b.as_ptr().cast(), n) }.cmp(&0)
}

/// Calls `strcasecmp` by all its names.
fn strcasecmp(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b, locale) = (a.as_ptr().cast(), b.as_ptr().cast(), std::ptr::null_mut());
    // SAFETY: see above.
    let [result, others @ ..] = unsafe {
        [
            strings::strcasecmp(a, b),
            strings::strcasecmp_l(a, b, locale),
            strings::__strcasecmp_l(a, b, locale),
        ]
    };
    assert_eq!(others, [result; 2]);
    result.cmp(&0)
}

/// Calls `strncasecmp` by all its names.
fn strncasecmp(a: &[u8], b: &[u8], n: usize) -> Ordering {
    let (a, b, locale) = (a.as_ptr().cast(), b.as_ptr().cast(), std::ptr::null_mut());
    // SAFETY: see above.
    let [result, others @ ..] = unsafe {
        [
            strings::strncasecmp(a, b, n),
            strings::strncasecmp_l(a, b, n, locale),
            strings::__strncasecmp_l(a, b, n, locale),
        ]
    };
    assert_eq!(others, [result; 2]);
    result.cmp(&0)
}

type Copy = unsafe extern "C" fn(*mut c_char, *const c_char) -> *mut c_char;

/// The copy functions, and whether they return the end of the copy.
const COPIES: [(Copy, bool); 3] = [
    (strings::strcpy, false),
    (strings::stpcpy, true),
    (strings::__stpcpy, true),
];

/// Copies a string of `n` bytes and its zero to the start of a slice that has room for it.
fn copy((copy, to_end): (Copy, bool), to: &mut [u8], s: &[u8], n: usize) {
    assert!(n < to.len() && n < s.len());
    let start = to.as_mut_ptr().cast::<c_char>();
    // SAFETY: there is room.
    let result = unsafe { copy(start, s.as_ptr().cast()) };
    let expected = if to_end { n } else { 0 };
    assert_eq!(result, start.wrapping_add(expected), "{n}");
}

fn memmem(s: &[u8], needle: &[u8]) -> Option<usize> {
    let (start, part) = (s.as_ptr().cast::<c_void>(), needle.as_ptr().cast());
    // SAFETY: both are slices.
    index(s, unsafe {
        strings::memmem(start, s.len(), part, needle.len())
    })
}

fn strstr(s: &[u8], needle: &[u8]) -> Option<usize> {
    // SAFETY: see above.
    index(s, unsafe {
        strings::strstr(s.as_ptr().cast(), needle.as_ptr().cast())
    })
}

/// Returns the result of `memmem`, and checks `strstr` with the same bytes if they can be strings.
fn search(s: &[u8], needle: &[u8]) -> Option<usize> {
    let found = memmem(s, needle);
    if naive_find(s, 0).is_none() && naive_find(needle, 0).is_none() {
        let (mut string, mut part) = (Memory::new(s.len() + 1), Memory::new(needle.len() + 1));
        for (memory, bytes) in [(&mut string, s), (&mut part, needle)] {
            // After the end, both continue.
            memory.bytes().fill(b'a');
            memory.bytes()[..bytes.len()].copy_from_slice(bytes);
            memory.bytes()[bytes.len()] = 0;
        }
        assert_eq!(strstr(string.bytes(), part.bytes()), found);
    }
    found
}

/// Otherwise the other tests would say nothing about real programs.
#[test]
#[cfg(not(miri))]
fn symbols_are_ours() {
    macro_rules! assert_ours {
        ($($name:ident),+) => {{
            // Only the address is needed; otherwise `strlen` would have to be declared exactly.
            // Older compilers do not know this lint.
            #[allow(unknown_lints, invalid_runtime_symbol_definitions)]
            mod linked {
                unsafe extern "C" {
                    $(pub(super) fn $name();)+
                }
            }
            $(assert_eq!(linked::$name as *const (), strings::$name as *const (), stringify!($name));)+
        }};
    }
    assert_ours!(
        strlen,
        strnlen,
        memchr,
        memrchr,
        __memrchr,
        strchr,
        strchrnul,
        __strchrnul,
        strcmp,
        strncmp,
        strcpy,
        stpcpy,
        __stpcpy,
        memmem,
        strcasecmp,
        strcasecmp_l,
        __strcasecmp_l,
        strncasecmp,
        strncasecmp_l,
        __strncasecmp_l,
        strrchr,
        strspn,
        strcspn,
        strpbrk,
        strstr,
        strncpy,
        stpncpy,
        __stpncpy,
        strncat,
        strlcpy,
        strlcat,
        memccpy
    );
}

/// musl's own callers reach the same routines: `strcat` calls `strcpy`, `strtok_r` calls `strspn`
/// and `strcspn`, `strcasestr` calls `strncasecmp`, `rindex` calls `strrchr`.
#[test]
#[cfg(not(miri))]
fn callers_in_musl() {
    unsafe extern "C" {
        fn strtok_r(s: *mut c_char, set: *const c_char, rest: *mut *mut c_char) -> *mut c_char;
        fn strcasestr(s: *const c_char, needle: *const c_char) -> *mut c_char;
        fn rindex(s: *const c_char, byte: c_int) -> *mut c_char;
    }
    prepare();
    let mut room = [0x77_u8; 64];
    room[..4].copy_from_slice(b"a/b\0");
    // SAFETY: strings, and room for the appended bytes.
    unsafe {
        let s = room.as_mut_ptr().cast::<c_char>();
        libc::strcat(s, c"/c".as_ptr());
        assert_eq!(rindex(s, c_int::from(b'/')), s.add(3));
        assert_eq!(strcasestr(s, c"B/".as_ptr()), s.add(2));
        let mut rest = std::ptr::null_mut();
        let set = c"/ ".as_ptr();
        assert_eq!(strtok_r(s, set, &raw mut rest), s);
        assert_eq!(strtok_r(std::ptr::null_mut(), set, &raw mut rest), s.add(2));
    }
    assert_eq!(&room[..7], b"a\0b\0c\0\x77");
}

/// Each length and alignment. The bytes before the string and after its end must not matter: zeros
/// and the byte that is searched for, and first in the string a byte that differs from both in its
/// lowest bit, which short formulas for "has a zero byte" mistake for one after a zero.
#[test]
fn finds_the_end() {
    prepare();
    let mut memory = Memory::new(LONGEST + 512);
    for n in lengths() {
        for at in alignments().map(|at| 64 + at) {
            for other in [0_u8, 0xff] {
                let bytes = &mut memory.bytes()[..at + n + 100];
                bytes.fill(other);
                for (i, byte) in bytes[at..at + n].iter_mut().enumerate() {
                    *byte = [1, 0x80, 0xff, 0x7f, 0x81, 2, 0x61][i % 7];
                }
                bytes[at + n] = 0;
                let s = &bytes[at..];
                let what = format!("{n} bytes at {at}");
                assert_eq!(strlen(s), n, "{what}");
                for limit in [
                    0,
                    1,
                    n / 2,
                    n.wrapping_sub(1),
                    n,
                    n + 1,
                    n + 2,
                    n + 70,
                    usize::MAX,
                ] {
                    assert_eq!(strnlen(s, limit), n.min(limit), "{what}, {limit}");
                    let expected = (n < limit).then_some(n);
                    assert_eq!(memchr(s, 0, limit), expected, "{what}, {limit}");
                }
                assert_eq!(strchrnul(s, 0x33), n, "{what}");
                assert_eq!(strchr(s, 0x33), None, "{what}");
                assert_eq!(strchr(s, 0), Some(n), "{what}");
                assert_eq!(strchrnul(s, 0), n, "{what}");
                assert_eq!(memrchr(&s[..n], 0x33), None, "{what}");
                assert_eq!(memrchr(&s[..n], 0), None, "{what}");
                assert_eq!(memrchr(&s[..=n], 0), Some(n), "{what}");
                assert_eq!(strrchr(s, 0x33), None, "{what}");
                assert_eq!(strrchr(s, 0), Some(n), "{what}");
                assert_eq!(strspn(s, b"\x01\x80\xff\x7f\x81\x02\x61\0"), n, "{what}");
                assert_eq!(strcspn(s, b"\x03\x82\xfe\0"), n, "{what}");
            }
        }
    }
}

/// One byte to find, at each position, with equal bytes around the area.
#[test]
fn finds_each_position() {
    prepare();
    let mut memory = Memory::new(LONGEST + 512);
    for n in lengths() {
        for at in [64, 65, 95, 127] {
            for wanted in [b'y', 0xf9, 1] {
                let bytes = &mut memory.bytes()[..at + n + 100];
                bytes.fill(wanted);
                bytes[at..at + n].fill(wanted ^ 1);
                if wanted == 1 {
                    bytes[at..at + n].fill(2);
                }
                bytes[at + n] = 0;
                for position in (0..n).step_by(if n > 300 { 7 } else { 1 }) {
                    let s = &mut bytes[at..];
                    let rest = s[position];
                    s[position] = wanted;
                    let what = format!("{n} bytes at {at}, {wanted} at {position}");
                    // C truncates the value to eight bits.
                    let value = c_int::from(wanted) + 0x300;
                    assert_eq!(memchr(s, value, n), Some(position), "{what}");
                    assert_eq!(
                        memchr(s, value - 0x400, usize::MAX),
                        Some(position),
                        "{what}"
                    );
                    assert_eq!(memchr(s, value, position), None, "{what}");
                    assert_eq!(memchr(s, value, position + 1), Some(position), "{what}");
                    assert_eq!(strchr(s, value), Some(position), "{what}");
                    assert_eq!(strchrnul(s, value), position, "{what}");
                    assert_eq!(memrchr(&s[..n], value), Some(position), "{what}");
                    assert_eq!(strrchr(s, value), Some(position), "{what}");
                    assert_eq!(strcspn(s, &[wanted, 0]), position, "{what}");
                    assert_eq!(strcspn(s, &[b'#', wanted, 0]), position, "{what}");
                    assert_eq!(strspn(s, &[rest, 0]), position, "{what}");
                    assert_eq!(memrchr(&s[..position], value), None, "{what}");
                    assert_eq!(memrchr(&s[position + 1..n], value), None, "{what}");
                    s[position] = rest;
                }
            }
        }
    }
}

#[test]
fn compares_each_position() {
    prepare();
    let (mut first, mut second) = (Memory::new(LONGEST + 512), Memory::new(LONGEST + 512));
    let mut noise = Noise(3);
    for n in lengths() {
        let few = [(0, 0), (1, 0), (0, 9), (31, 17), (63, 63), (5, 60)];
        for (at, from) in few.into_iter().take(if cfg!(miri) { 2 } else { 6 }) {
            let a = &mut first.bytes()[at..at + n + 100];
            let b = &mut second.bytes()[from..from + n + 100];
            for i in 0..a.len() {
                a[i] = noise.byte().max(1);
                // The bytes after the end differ, and must not matter.
                b[i] = if i < n { a[i] } else { !a[i] };
            }
            (a[n], b[n]) = (0, 0);
            assert_eq!(strcmp(a, b), Ordering::Equal, "{n}");
            for limit in [0, n / 2, n, n + 1, n + 90, usize::MAX] {
                assert_eq!(strncmp(a, b, limit), Ordering::Equal, "{n}, {limit}");
            }
            for position in (0..=n).step_by(if n > 300 { 7 } else { 1 }) {
                let byte = b[position];
                for changed in [byte ^ 0x80, byte ^ 0x01, 0] {
                    b[position] = changed;
                    // A later difference in the other direction must not count.
                    let last = b[n + 1];
                    b[n + 1] = if changed > byte { 0 } else { 255 };
                    let expected = byte.cmp(&changed);
                    let what = format!("{n} at {position}");
                    assert_eq!(strcmp(a, b), expected, "{what}");
                    assert_eq!(strcmp(b, a), expected.reverse(), "{what}");
                    assert_eq!(strncmp(a, b, position), Ordering::Equal, "{what}");
                    for limit in [position + 1, position + 40, usize::MAX] {
                        assert_eq!(strncmp(a, b, limit), expected, "{what}, {limit}");
                        assert_eq!(strncmp(b, a, limit), expected.reverse(), "{what}, {limit}");
                    }
                    b[n + 1] = last;
                }
                b[position] = byte;
            }
        }
    }
}

/// All pairs of bytes, at the place of each code path: in the first vector, in a later one, and in
/// the last bytes of a page.
#[test]
#[cfg(not(miri))]
fn folds_ascii_letters_alone() {
    prepare();
    let (mut first, mut second) = (Guarded::new(1), Guarded::new(1));
    for (n, at) in [(2, 0), (60, 37), (400, 390), (13, 11)] {
        let end = n == 13;
        let (a, b) = (first.edge(n + 1, end), second.edge(n + 1, end));
        a.fill(b'q');
        b.fill(b'Q');
        (a[n], b[n]) = (0, 0);
        // So a false difference cannot pass for none.
        a[at + 1] = b'r';
        for one in 0..=255_u8 {
            for other in 0..=255_u8 {
                (a[at], b[at]) = (one, other);
                let expected = one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase());
                let after = if one == 0 {
                    Ordering::Equal
                } else {
                    Ordering::Greater
                };
                assert_eq!(
                    strcasecmp(a, b),
                    expected.then(after),
                    "{one} and {other} at {at}"
                );
                assert_eq!(
                    strncasecmp(a, b, at + 1),
                    expected,
                    "{one} and {other} at {at}"
                );
                assert_eq!(strncasecmp(a, b, at), Ordering::Equal);
            }
        }
    }
}

#[test]
fn compares_folded_each_position() {
    prepare();
    let (mut first, mut second) = (Memory::new(LONGEST + 512), Memory::new(LONGEST + 512));
    let mut noise = Noise(17);
    for n in lengths() {
        let few = [(0, 0), (1, 0), (0, 9), (31, 17), (63, 63), (5, 60)];
        for (at, from) in few.into_iter().take(if cfg!(miri) { 2 } else { 6 }) {
            let a = &mut first.bytes()[at..at + n + 100];
            let b = &mut second.bytes()[from..from + n + 100];
            for i in 0..a.len() {
                let letter = b'a' + u8::try_from(noise.below(26)).expect("it is below 26");
                a[i] = letter ^ if noise.below(2) == 0 { 0 } else { 0x20 };
                // The bytes after the end differ, and must not matter.
                b[i] = if i >= n {
                    b'#'
                } else {
                    a[i] ^ if noise.below(2) == 0 { 0 } else { 0x20 }
                };
            }
            (a[n], b[n]) = (0, 0);
            assert_eq!(strcasecmp(a, b), Ordering::Equal, "{n}");
            for limit in [0, n / 2, n, n + 1, n + 90, usize::MAX] {
                assert_eq!(strncasecmp(a, b, limit), Ordering::Equal, "{n}, {limit}");
            }
            for position in (0..n).step_by(if n > 300 { 7 } else { 1 }) {
                let byte = b[position];
                for changed in [byte ^ 0x80, byte ^ 0x40, byte ^ 0x01, 0, b'[', b'`'] {
                    b[position] = changed;
                    let expected = byte.to_ascii_lowercase().cmp(&changed.to_ascii_lowercase());
                    let what = format!("{n} at {position}");
                    assert_eq!(strcasecmp(a, b), expected, "{what}");
                    assert_eq!(strcasecmp(b, a), expected.reverse(), "{what}");
                    assert_eq!(strncasecmp(a, b, position), Ordering::Equal, "{what}");
                    for limit in [position + 1, position + 40, usize::MAX] {
                        assert_eq!(strncasecmp(a, b, limit), expected, "{what}, {limit}");
                    }
                }
                b[position] = byte;
            }
        }
    }
}

/// Each byte alone in the set, each byte as the first of the other kind, and sets of all lengths.
#[test]
fn looks_bytes_up_in_sets() {
    prepare();
    let mut memory = Memory::new(512);
    let step = if cfg!(miri) { 41 } else { 1 };
    for wanted in (1..=255).step_by(step) {
        for other in (1..=255).step_by(step).filter(|&other| other != wanted) {
            for (at, n) in [(0, 3), (9, 40), (60, 170)] {
                if n > 3 && usize::from(wanted ^ other) % 16 > 2 {
                    continue;
                }
                let s = &mut memory.bytes()[at..];
                s[..n].fill(wanted);
                s[n..].fill(other);
                s[n + 5] = 0;
                let what = format!("{wanted}, {other}");
                assert_eq!(strspn(s, &[wanted, 0]), n, "{what}");
                assert_eq!(strspn(s, &[wanted, wanted, 0, other]), n, "{what}");
                assert_eq!(strcspn(s, &[other, 0]), n, "{what}");
                assert_eq!(strcspn(s, &[other, other, 0, wanted]), n, "{what}");
                assert_eq!(strspn(s, &[other, 0]), 0, "{what}");
                assert_eq!(strspn(s, &[wanted, other, 0]), n + 5, "{what}");
            }
        }
    }
    let mut noise = Noise(19);
    for round in 0..if cfg!(miri) { 30 } else { 6000 } {
        let mut set: Vec<u8> = (0..round % 300).map(|_| noise.byte().max(1)).collect();
        set.push(0);
        let at = noise.below(64);
        let s = &mut memory.bytes()[at..at + 400];
        // Long within the set, or long outside.
        let within = noise.below(2) == 0;
        for byte in s.iter_mut() {
            let is_in = (noise.below(200) == 0) != within;
            *byte = noise.byte().max(1);
            for _ in 0..20 {
                if set[..set.len() - 1].contains(byte) == is_in {
                    break;
                }
                *byte = noise.byte().max(1);
            }
        }
        s[noise.below(400)] = 0;
        s[399] = 0;
        assert_eq!(strspn(s, &set), naive_span(s, &set, true), "{set:?}");
        assert_eq!(strcspn(s, &set), naive_span(s, &set, false), "{set:?}");
    }
    assert_eq!(strspn(b"abc\0", b"\0abc"), 0);
    assert_eq!(strcspn(b"abc\0", b"\0abc"), 3);
    assert_eq!(strspn(b"\0abc", b"abc\0"), 0);
    assert_eq!(strcspn(b"\0abc", b"abc\0"), 0);
}

#[test]
fn compares_all_alignments() {
    prepare();
    let (mut first, mut second) = (Memory::new(8704), Memory::new(8704));
    for n in [0, 1, 15, 16, 31, 32, 33, 64, 100, 128, 200, 400, 4200, 8300] {
        if cfg!(miri) && n > 400 {
            continue;
        }
        for at in alignments() {
            for from in [0, 1, 37, at, 63 - at] {
                let (a, b) = (first.bytes(), second.bytes());
                a.fill(0x80);
                b.fill(0x80);
                let (a, b) = (&mut a[at..], &mut b[from..]);
                (a[n], b[n]) = (0, 0);
                assert_eq!(strcmp(a, b), Ordering::Equal, "{n}, {at}, {from}");
                b[n] = 0x7f;
                assert_eq!(strcmp(a, b), Ordering::Less, "{n}, {at}, {from}");
                assert_eq!(strncmp(b, a, n + 1), Ordering::Greater, "{n}, {at}, {from}");
                assert_eq!(strncmp(b, a, n), Ordering::Equal, "{n}, {at}, {from}");
            }
        }
    }
}

/// The bytes around the copy are unchanged.
#[test]
fn copies() {
    prepare();
    let (mut from, mut to) = (Memory::new(LONGEST + 512), Memory::new(LONGEST + 512));
    let mut noise = Noise(5);
    for byte in from.bytes() {
        *byte = noise.byte().max(1);
    }
    for n in lengths() {
        for at in alignments() {
            for destination in [0, 1, 37, at, 63 - at] {
                let s = &mut from.bytes()[at..];
                let rest = s[n];
                s[n] = 0;
                for which in COPIES.into_iter().take(if n > 300 { 1 } else { 3 }) {
                    let window = &mut to.bytes()[..64 + destination + n + 100];
                    window.fill(0xa5);
                    copy(which, &mut window[64 + destination..], s, n);
                    let start = 64 + destination;
                    for i in 0..window.len() {
                        let copied = i >= start && i <= start + n;
                        let expected = if copied { s[i - start] } else { 0xa5 };
                        assert_eq!(read(window, i), expected, "{n} bytes from {at}, byte {i}");
                    }
                }
                s[n] = rest;
            }
        }
    }
}

/// Does to `to` what the bounded copies do, and returns what they return: a length, or an index in
/// `to`.
fn naive_bounded(name: &str, to: &mut [u8], s: &[u8], n: usize) -> Option<usize> {
    let set = |to: &mut [u8], from: usize, bytes: &[u8]| {
        for (at, &byte) in bytes.iter().enumerate() {
            to[from + at] = byte;
        }
    };
    let within = naive_find(&s[..n.min(s.len())], 0);
    let part = &s[..within.unwrap_or(n)];
    match name {
        "strncpy" | "stpncpy" | "__stpncpy" => {
            set(to, 0, part);
            set(to, part.len(), &vec![0; n - part.len()]);
            Some(if name == "strncpy" { 0 } else { part.len() })
        }
        "strncat" => {
            let end = naive_length(to);
            set(to, end, part);
            to[end + part.len()] = 0;
            Some(0)
        }
        "strlcpy" | "strlcat" => {
            let end = if name == "strlcpy" {
                Some(0)
            } else {
                naive_find(&to[..n], 0)
            };
            let len = naive_length(s);
            if let Some(end) = end
                && end < n
            {
                let copied = len.min(n - end - 1);
                set(to, end, &s[..copied]);
                to[end + copied] = 0;
            }
            Some(end.unwrap_or(n) + len)
        }
        _ => {
            let copied = within.map_or(n, |end| end + 1);
            set(to, 0, &s[..copied]);
            within.map(|end| end + 1)
        }
    }
}

fn bounded(name: &str, to: &mut [u8], s: &[u8], n: usize) -> Option<usize> {
    let (start, from) = (
        to.as_mut_ptr().cast::<c_char>(),
        s.as_ptr().cast::<c_char>(),
    );
    // SAFETY: strings, or this many bytes, and there is room.
    unsafe {
        let end = match name {
            "strncpy" => strings::strncpy(start, from, n),
            "stpncpy" => strings::stpncpy(start, from, n),
            "__stpncpy" => strings::__stpncpy(start, from, n),
            "strncat" => strings::strncat(start, from, n),
            "strlcpy" => return Some(strings::strlcpy(start, from, n)),
            "strlcat" => return Some(strings::strlcat(start, from, n)),
            _ => strings::memccpy(start.cast(), from.cast(), 0x300, n).cast(),
        };
        index(to, end)
    }
}

/// Strings shorter than the bound, as long, and longer, after existing bytes. The bytes around them
/// are unchanged.
#[test]
fn copies_within_bounds() {
    prepare();
    let (mut from, mut to) = (Memory::new(800), Memory::new(1200));
    let names = [
        "strncpy",
        "stpncpy",
        "__stpncpy",
        "strncat",
        "strlcpy",
        "strlcat",
        "memccpy",
    ];
    let step = if cfg!(miri) { 23 } else { 1 };
    for len in (0..=70).step_by(step).chain([127, 128, 129, 260, 600]) {
        for n in (0..=70)
            .step_by(step)
            .chain([127, 128, 129, 130, 260, 511, 512, 650])
        {
            for (at, destination) in [(0, 0), (3, 60), (33, 17)] {
                for there in [0, 1, 31, 40] {
                    let s = &mut from.bytes()[at..];
                    for (i, byte) in s.iter_mut().enumerate() {
                        *byte = 1 + u8::try_from(i % 250).expect("it is below 250");
                    }
                    s[len] = 0;
                    for name in names {
                        let window = &mut to.bytes()[destination..destination + 1000];
                        window.fill(0xa5);
                        window[200 + there] = 0;
                        let mut expected = window.to_vec();
                        let result = naive_bounded(name, &mut expected[200..], s, n);
                        let what = format!("{name} of {len} bytes, {n}, behind {there}");
                        assert_eq!(bounded(name, &mut window[200..], s, n), result, "{what}");
                        assert!(*window == expected, "{what}");
                    }
                }
            }
        }
    }
}

/// The bounded copies access no byte beyond those that they may read and write.
#[test]
#[cfg(not(miri))]
fn copies_within_pages() {
    prepare();
    let (mut first, mut second) = (Guarded::new(1), Guarded::new(1));
    for n in lengths().skip(1) {
        for (at, from) in [(false, false), (false, true), (true, false), (true, true)] {
            for name in ["stpncpy", "memccpy"] {
                // Bytes without a zero.
                let (to, s) = (first.edge(n, at), second.edge(n, from));
                s.fill(0x81);
                to.fill(0);
                let expected = (name == "stpncpy").then_some(n);
                assert_eq!(bounded(name, to, s, n), expected, "{name} of {n}");
                assert!(to == s, "{name} of {n}");
            }
            for name in ["stpncpy", "memccpy", "strncat", "strlcpy", "strlcat"] {
                let (to, s) = (first.edge(n, at), second.edge(n, from));
                s.fill(0x81);
                s[n - 1] = 0;
                to.fill(0);
                bounded(name, to, s, n);
                assert!(to == s, "{name} of {n}");
            }
        }
    }
}

/// Few different bytes, so each routine meets hits everywhere.
#[test]
fn agrees_with_the_reference() {
    prepare();
    let mut noise = Noise(7);
    let (mut first, mut second, mut third) = (Memory::new(512), Memory::new(512), Memory::new(768));
    for round in 0..if cfg!(miri) { 60 } else { 20_000 } {
        let alphabet = [1, 0x80, 0xff, 0x81, 0x7f, 0];
        // Zeros are frequent, rare or absent.
        let zero_in = [2, 20, 1000][round % 3];
        let (a, b) = (first.bytes(), second.bytes());
        let common = noise.below(512);
        for byte in &mut *a {
            let zero = noise.below(zero_in) == 0;
            *byte = alphabet[if zero { 5 } else { noise.below(5) }];
        }
        let (at, from) = (noise.below(200), noise.below(200));
        for i in 0..b.len() - from {
            b[from + i] = if i < common && at + i < a.len() {
                a[at + i]
            } else {
                alphabet[noise.below(6)]
            };
        }
        // The last bytes that routines may read.
        (a[500], b[500]) = (0, 0);
        let (a, b) = (&a[at..=500], &b[from..=500]);
        let wanted = alphabet[noise.below(6)];
        let n = noise.below(a.len());
        let length = naive_length(a);
        assert_eq!(strlen(a), length);
        assert_eq!(strnlen(a, n), length.min(n));
        assert_eq!(memchr(a, wanted, n), naive_find(&a[..n], wanted));
        assert_eq!(memrchr(&a[..n], wanted), naive_find_last(&a[..n], wanted));
        let found = naive_find(&a[..=length], wanted);
        assert_eq!(strchr(a, wanted), found);
        assert_eq!(strchrnul(a, wanted), found.unwrap_or(length));
        assert_eq!(strrchr(a, wanted), naive_find_last(&a[..=length], wanted));
        assert_eq!(strspn(a, b), naive_span(a, b, true));
        assert_eq!(strcspn(a, b), naive_span(a, b, false));
        assert_eq!(strcasecmp(a, b), naive_compare_folded(a, b, usize::MAX));
        assert_eq!(strncasecmp(a, b, n), naive_compare_folded(a, b, n));
        assert_eq!(strcmp(a, b), naive_compare(a, b, usize::MAX));
        assert_eq!(strncmp(a, b, n), naive_compare(a, b, n));
        let room = third.bytes();
        room.fill(0xee);
        copy(COPIES[round % 3], &mut room[from..], a, length);
        assert_eq!(naive_compare(&room[from..], a, usize::MAX), Ordering::Equal);
        assert_eq!(room[from + length + 1], 0xee);
        let (start, k) = (noise.below(b.len()), noise.below(40));
        let needle = &b[start..(start + k).min(b.len())];
        assert_eq!(memmem(&a[..n], needle), naive_search(&a[..n], needle));
        let string = &b[start..];
        let part = &string[..naive_length(string)];
        assert_eq!(strstr(a, string), naive_search(&a[..length], part));
    }
}

/// All areas of up to eleven bytes and needles of up to five, of two different bytes.
#[test]
fn searches_all_that_is_short() {
    prepare();
    let (longest, longest_needle) = if cfg!(miri) { (6, 3) } else { (11, 5) };
    let mut memory = Memory::new(64);
    let spell = |bytes: &mut [u8], number: usize| {
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = if number >> i & 1 == 0 { b'a' } else { b'b' };
        }
    };
    let mut needle = [0; 5];
    for k in 0..=longest_needle {
        for spelled in 0..1 << k {
            spell(&mut needle[..k], spelled);
            for n in 0..=longest {
                for number in 0..1 << n {
                    // After the area, the needle continues.
                    memory.bytes().fill(b'a');
                    let s = &mut memory.bytes()[..n];
                    spell(s, number);
                    assert_eq!(search(s, &needle[..k]), naive_search(s, &needle[..k]));
                }
            }
        }
    }
}

/// A needle at each place of an area without its first byte, with its first byte everywhere, and
/// with a prefix of it everywhere.
#[test]
fn searches_each_place() {
    prepare();
    let mut memory = Memory::new(1024);
    let mut noise = Noise(11);
    for k in [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257] {
        if cfg!(miri) && k > 17 {
            continue;
        }
        let mut needle: Vec<u8> = (0..k).map(|_| noise.byte() | 1).collect();
        needle[k - 1] = 0x80;
        for n in [k, k + 1, k + 15, k + 31, k + 32, k + 33, k + 200, k + 401] {
            for (kind, at) in [(0, 0), (1, 3), (2, 31), (3, 64)] {
                for place in (0..=n - k).step_by(if cfg!(miri) { 13 } else { 1 }) {
                    let s = &mut memory.bytes()[at..at + n];
                    for (i, byte) in s.iter_mut().enumerate() {
                        *byte = match kind {
                            0 => 0,
                            1 => needle[0],
                            2 => needle[i % k] & 0x7f,
                            _ => needle[i % k.div_ceil(2)],
                        };
                    }
                    s[place..place + k].copy_from_slice(&needle);
                    let expected = naive_search(s, &needle);
                    assert_eq!(search(s, &needle), expected, "{k} in {n} at {place}");
                    // It is not found if the area ends one byte earlier.
                    let s = &s[..n - 1];
                    assert_eq!(search(s, &needle), naive_search(s, &needle));
                }
            }
        }
    }
    assert_eq!(search(b"abc", b"abcd"), None);
    assert_eq!(search(b"", b"a"), None);
    assert_eq!(search(b"", b""), Some(0));
    assert_eq!(search(b"abc", b""), Some(0));
}

/// Needles with periods, in areas where each place is a candidate, so the two-way search is used:
/// with a needle that occurs, or almost occurs.
#[test]
fn searches_periods() {
    prepare();
    let longest = if cfg!(miri) { 300 } else { 900 };
    let mut memory = Memory::new(longest);
    for word in [
        &b"a"[..],
        b"ab",
        b"aab",
        b"abaab",
        b"abcabcabd",
        b"aaaaaaaab",
    ] {
        for k in [2, 3, 5, 8, 13, 40, 90, 200] {
            for change in [None, Some(0), Some(k / 2), Some(k - 1)] {
                let mut needle: Vec<u8> = word.iter().copied().cycle().take(k).collect();
                if let Some(change) = change {
                    needle[change] = b'b' + b'a' - needle[change].min(b'b');
                }
                for n in [k, 60, longest] {
                    for end in [0, 1, 7, 50] {
                        let s = &mut memory.bytes()[..n.max(k)];
                        for (i, byte) in s.iter_mut().enumerate() {
                            *byte = word[i % word.len()];
                        }
                        // It certainly occurs, but only near the end.
                        if end > 0 && s.len() >= k + end {
                            let at = s.len() - k - end;
                            s[at..at + k].copy_from_slice(&needle);
                        }
                        let expected = naive_search(s, &needle);
                        assert_eq!(search(s, &needle), expected, "{k} in {n}, {change:?}");
                    }
                }
            }
        }
    }
}

/// Comparing at each place would take 10^12 byte comparisons here, which no processor does in the
/// time allowed; linear work takes a few hundredths of a second.
#[test]
#[cfg(not(miri))]
fn searches_in_linear_time() {
    prepare();
    let n = 4 << 20;
    // Both with a zero at the end, for `strstr`.
    let mut area = vec![b'a'; n + 1];
    area[n] = 0;
    let mut all = vec![b'a'; n / 2 + 1];
    all[n / 2] = 0;
    let changed = |at: usize| {
        let mut needle = all.clone();
        needle[at] = b'b';
        needle
    };
    let mut halves = area.clone();
    for at in (0..n).step_by(n / 8) {
        halves[at] = b'b';
    }
    let needles = [
        changed(0),
        changed(1),
        changed(n / 4),
        changed(n / 2 - 2),
        changed(n / 2 - 1),
        all,
    ];
    let absent = |area: &[u8], needle: &[u8]| {
        assert_eq!(memmem(&area[..n], &needle[..n / 2]), None);
        assert_eq!(strstr(area, needle), None);
    };
    let start = processor_time();
    for needle in &needles[..5] {
        absent(&area, needle);
    }
    for needle in &needles {
        absent(&halves, needle);
    }
    let taken = processor_time() - start;
    assert!(taken < 2.0, "{taken} s");
}

/// A needle across the end of each area in which a string is searched; the areas have 512 bytes
/// plus the needle, and each is then twice as long as the one before.
#[test]
#[cfg(not(miri))]
fn searches_area_after_area() {
    prepare();
    let mut memory = Memory::new(9000);
    let mut string = Memory::new(700);
    for k in [2, 3, 17, 32, 33, 200, 600] {
        let needle = &mut string.bytes()[..=k];
        needle.fill(b'n');
        needle[k - 1] = b'e';
        needle[k] = 0;
        for place in 0..8000 {
            let s = &mut memory.bytes()[..place + k + 40];
            s.fill(b'x');
            s[place..place + k].copy_from_slice(&needle[..k]);
            s[place + k + 39] = 0;
            assert_eq!(strstr(s, needle), Some(place), "{k}");
            s[place + k - 1] = 0;
            assert_eq!(strstr(s, needle), None, "{k} at {place}");
        }
    }
}

/// A program may search a long string from place to place. Finding its end each time would take a
/// minute here.
#[test]
#[cfg(not(miri))]
fn searches_no_further_than_it_must() {
    prepare();
    let mut string = vec![b'a'; 16 << 20];
    string.push(0);
    let start = processor_time();
    for _ in 0..100_000 {
        assert_eq!(strstr(&string, b"aaa\0"), Some(0));
    }
    let taken = processor_time() - start;
    assert!(taken < 2.0, "{taken} s");
}

/// Returns this thread's CPU time in seconds.
#[cfg(not(miri))]
fn processor_time() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it only writes to the timespec.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0);
    #[allow(clippy::cast_precision_loss, reason = "the test takes no years")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// The C standard requires valid pointers even then, Rust's compiler does not.
#[test]
fn nothing_at_null() {
    prepare();
    let null = std::ptr::null_mut::<c_void>();
    // SAFETY: no byte is read.
    unsafe {
        assert_eq!(strings::strnlen(null.cast(), 0), 0);
        assert_eq!(strings::memchr(null, 0, 0), null);
        assert_eq!(strings::memrchr(null, 0, 0), null);
        assert_eq!(strings::strncmp(null.cast(), null.cast(), 0), 0);
        assert_eq!(strings::strncasecmp(null.cast(), null.cast(), 0), 0);
        assert_eq!(strings::memmem(null, 0, null, 0), null);
        assert_eq!(strings::memmem(null, 0, c"a".as_ptr().cast(), 1), null);
    }
}

/// An access out of bounds would end the test with SIGSEGV.
#[test]
#[cfg(not(miri))]
fn stays_within_pages() {
    prepare();
    let (mut first, mut second) = (Guarded::new(1), Guarded::new(1));
    for n in lengths() {
        for (at, from) in [(false, false), (false, true), (true, false), (true, true)] {
            // Strings of n bytes and the zero.
            let (a, b) = (first.edge(n + 1, at), second.edge(n + 1, from));
            a.fill(0x81);
            b.fill(0x81);
            (a[n], b[n]) = (0, 0);
            assert_eq!(strlen(a), n);
            assert_eq!(strnlen(a, usize::MAX), n);
            assert_eq!(memchr(a, 0, usize::MAX), Some(n));
            assert_eq!(strchr(a, 1), None);
            assert_eq!(strchrnul(a, 1), n);
            assert_eq!(strcmp(a, b), Ordering::Equal);
            assert_eq!(strncmp(a, b, usize::MAX), Ordering::Equal);
            assert_eq!(strcasecmp(a, b), Ordering::Equal);
            assert_eq!(strncasecmp(a, b, usize::MAX), Ordering::Equal);
            assert_eq!(strrchr(a, 1), None);
            assert_eq!(strrchr(a, 0), Some(n));
            assert_eq!(strspn(a, b"\x81\0"), n);
            assert_eq!(strcspn(a, b"\x80\x82\0"), n);
            // As a set, as a needle, and as the searched string.
            assert_eq!(strspn(b"\x81\x80\0", b), usize::from(n > 0));
            assert_eq!(strcspn(b"\x80\x81\0", b), if n > 0 { 1 } else { 2 });
            assert_eq!(strstr(a, b), Some(0));
            assert_eq!(strstr(a, &b[n / 2..]), Some(0));
            assert_eq!(strstr(a, b"\x81\x82\0"), None);
            assert_eq!(strstr(a, b"\x82\x81\0"), None);
            a[n / 2] = 0;
            assert_eq!(strstr(a, b), (n == 0).then_some(0));
            a[n / 2] = if n == 0 { 0 } else { 0x81 };
            for which in COPIES {
                b.fill(0x42);
                copy(which, b, a, n);
                assert_eq!(naive_compare(a, b, usize::MAX), Ordering::Equal);
            }
            // Areas of n + 1 bytes without a zero.
            (a[n], b[n]) = (0x81, 0x81);
            assert_eq!(strnlen(a, n + 1), n + 1);
            assert_eq!(memchr(a, 0, n + 1), None);
            assert_eq!(memrchr(a, 0), None);
            assert_eq!(strncmp(a, b, n + 1), Ordering::Equal);
            assert_eq!(strncasecmp(a, b, n + 1), Ordering::Equal);
            assert_eq!(memmem(a, b"\x81\x82"), None);
            assert_eq!(memmem(a, b"\x82\x81"), None);
            assert_eq!(memmem(a, b), Some(0));
            assert_eq!(memmem(a, &b[n / 2..]), Some(0));
            a[n] = 0x80;
            assert_eq!(memmem(a, b), None);
            assert_eq!(memmem(b, a), None);
            assert_eq!(memmem(a, b"\x80"), Some(n));
            assert_eq!(strncmp(a, b, n + 1), Ordering::Less);
            // The deciding byte comes before the end.
            b[n / 2] = 0;
            assert_eq!(strcmp(b, a), Ordering::Less);
            assert_eq!(strcasecmp(b, a), Ordering::Less);
            assert_eq!(strrchr(b, 0x81), (n > 1).then(|| n / 2 - 1));
            assert_eq!(strncmp(a, b, n + 1), Ordering::Greater);
        }
    }
}

/// The searched byte is right before a string that ends with its page, and not in it.
#[test]
#[cfg(not(miri))]
fn looks_at_nothing_before_the_string() {
    prepare();
    let mut memory = Guarded::new(1);
    for n in 0..300 {
        let around = memory.edge(n + 200, true);
        around.fill(b'y');
        let s = &mut around[199..];
        s[..n].fill(b'x');
        s[n] = 0;
        assert_eq!(strchr(s, b'y'), None, "{n}");
        assert_eq!(strrchr(s, b'y'), None, "{n}");
        assert_eq!(memrchr(s, b'y'), None, "{n}");
        assert_eq!(strcspn(s, b"zy\0"), n, "{n}");
    }
}

/// Two strings that reach the end of their page at different places, and the end of one of them.
#[test]
#[cfg(not(miri))]
fn compares_across_pages() {
    prepare();
    let (mut first, mut second) = (Guarded::new(1), Guarded::new(1));
    let (pages, other) = (first.edge(16_384, false), second.edge(16_384, false));
    pages.fill(0xc3);
    other.fill(0xc3);
    for at in 4096 - 140..=4096 {
        for from in [0, 1, 33, 3000, 4096 - 129, 4096 - 64, 4096 - 31, 4096 - 1] {
            for n in [
                0, 1, 20, 31, 64, 100, 127, 128, 129, 200, 260, 1096, 5000, 8200,
            ] {
                let (a, b) = (&mut pages[at..], &mut other[from..]);
                (a[n], b[n]) = (0, 0);
                assert_eq!(strcmp(a, b), Ordering::Equal, "{at}, {from}, {n}");
                assert_eq!(strcmp(b, a), Ordering::Equal, "{at}, {from}, {n}");
                b[n] = 1;
                assert_eq!(strcmp(a, b), Ordering::Less, "{at}, {from}, {n}");
                assert_eq!(strcmp(b, a), Ordering::Greater, "{at}, {from}, {n}");
                assert_eq!(strncmp(b, a, n), Ordering::Equal, "{at}, {from}, {n}");
                assert_eq!(strncmp(b, a, n + 1), Ordering::Greater, "{at}, {from}, {n}");
                assert_eq!(strcasecmp(b, a), Ordering::Greater, "{at}, {from}, {n}");
                assert_eq!(strncasecmp(b, a, n), Ordering::Equal, "{at}, {from}, {n}");
                assert_eq!(strrchr(b, 1), Some(n), "{from}, {n}");
                (a[n], b[n]) = (0xc3, 0xc3);
            }
        }
    }
}

/// Another thread changes bytes during the calls: any result is allowed, but there must be one, and
/// no byte after the last zero is read or written.
#[test]
#[cfg(not(miri))]
fn ends_with_what_changes_meanwhile() {
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Stops the other thread, which would otherwise outlive a failed assertion.
    struct Stop<'a>(&'a AtomicBool);

    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    prepare();
    let (mut first, mut second, mut third) = (Guarded::new(1), Guarded::new(1), Guarded::new(1));
    for n in [3, 17, 40, 64, 100, 300, 4096] {
        let (a, b) = (first.edge(n + 1, true), second.edge(n + 1, true));
        a.fill(b'a');
        b.fill(b'a');
        (a[n], b[n]) = (0, 0);
        let (a, b) = (
            a.as_mut_ptr().expose_provenance(),
            b.as_mut_ptr().expose_provenance(),
        );
        let to = third.edge(n + 1, true).as_mut_ptr().cast::<c_char>();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let changing = std::ptr::with_exposed_provenance_mut::<u8>(a + n - 1);
                while !stop.load(Ordering::Relaxed) {
                    for byte in [0, b'b', b'a'] {
                        // SAFETY: the area outlives the thread. It is read at the same time, by
                        // code that C allows to return anything in this case.
                        unsafe { changing.write_volatile(byte) };
                    }
                }
            });
            let _stop = Stop(&stop);
            let (a, b) = (
                std::ptr::with_exposed_provenance::<c_char>(a),
                std::ptr::with_exposed_provenance::<c_char>(b),
            );
            let value = c_int::from(b'b');
            let ends = [a.wrapping_add(n - 1), a.wrapping_add(n)];
            for _ in 0..50_000 {
                // SAFETY: all areas are alive, and there is room for the copy.
                unsafe {
                    assert!(ends.contains(&a.add(strings::strlen(a))));
                    assert!(ends.contains(&a.add(strings::strnlen(a, n))));
                    assert!(ends.contains(&strings::strchrnul(a, value).cast_const()));
                    for found in [
                        strings::strchr(a, value).cast_const(),
                        strings::memchr(a.cast(), value, n).cast_const().cast(),
                        strings::memrchr(a.cast(), value, n).cast_const().cast(),
                        strings::memmem(a.cast(), n, c"ab".as_ptr().cast(), 2)
                            .cast_const()
                            .cast(),
                    ] {
                        assert!(found.is_null() || (a..ends[1]).contains(&found));
                    }
                    assert!(ends.contains(&a.add(strings::strspn(a, c"abc".as_ptr()))));
                    assert!(ends.contains(&a.add(strings::strcspn(a, c"#b-".as_ptr()))));
                    for found in [
                        strings::strrchr(a, value),
                        strings::strpbrk(a, c"#b-".as_ptr()),
                        strings::strstr(a, c"ab".as_ptr()),
                    ] {
                        let found = found.cast_const();
                        assert!(found.is_null() || (a..ends[1]).contains(&found));
                    }
                    strings::strcasecmp(a, b);
                    strings::strncasecmp(b, a, n);
                    strings::strcmp(a, b);
                    strings::strncmp(b, a, n);
                    strings::strcpy(to, a);
                    assert!(strings::stpcpy(to, a).addr() <= to.addr() + n);
                }
            }
        });
    }
}

//! The searches behind `memmem` and `strstr`.
//!
//! A place is a candidate if the first and the last byte of the needle are there; a vector checks
//! many places at once. Text has few candidates, and most of them fail within the first word. But a
//! needle and an area can be made so that each place is a candidate and fails late. So the work on
//! candidates is counted: as soon as it exceeds a multiple of the bytes passed, the rest is
//! searched with the two-way algorithm, which is slower than vectors and linear in the worst case.
//! So the whole search is linear too.
//!
//! musl's own search cannot be used for that: its object defines `memmem` and no other name.
//!
//! A string is searched as consecutive areas, each twice as long as the one before: the search for
//! the string's end stays only a little ahead.

use super::bytes::{Bytes, crosses};
use super::find::{end, end_within};
use super::two_way::two_way;
use super::{memchr, strchr};
use crate::access::value;

/// The cost of a candidate apart from its bytes, in bytes.
const CANDIDATE: usize = 16;
/// Work on candidates allowed per byte passed, and at the start, before the two-way algorithm takes
/// over.
const WORK: usize = 8;
const WORK_AT_START: usize = 4096;

/// The most bytes by which the first area of a string exceeds the needle.
const AHEAD: usize = 512;

/// `strstr`
///
/// # Safety
///
/// As for `strstr`, and the processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn string<V: Bytes>(s: *const u8, needle: *const u8) -> *const u8 {
    // SAFETY: the caller's promise; the first vector does not cross a page, and all areas are
    // within the string.
    unsafe {
        let first = value::<u8>(needle);
        if first == 0 {
            return s;
        }
        // Short strings often do not contain the first byte.
        if !crosses(s, V::LEN)
            && let Some(at) = V::first(value::<V>(s).equal_or_zero(V::splat(first)), 0)
            && value::<u8>(s.wrapping_add(at)) == 0
        {
            return core::ptr::null();
        }
        let k = end::<V>(needle);
        if k == 1 {
            let found = strchr(s.cast(), first.into());
            return found.cast::<u8>().cast_const();
        }
        let mut from = s;
        let mut ahead = k.wrapping_add(AHEAD);
        loop {
            let n = end_within::<V>(from, ahead);
            let found = area::<V>(from, n, needle, k);
            if found.addr() != 0 || n < ahead {
                return found;
            }
            // The last bytes of the area may be the start of the needle.
            from = from.wrapping_add(n.wrapping_sub(k.wrapping_sub(1)));
            ahead = ahead.wrapping_mul(2);
        }
    }
}

/// `memmem`
///
/// # Safety
///
/// As for `memmem`, and the processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn area<V: Bytes>(
    s: *const u8,
    n: usize,
    needle: *const u8,
    k: usize,
) -> *const u8 {
    if k == 0 {
        return s;
    }
    if n < k {
        return core::ptr::null();
    }
    // The distance of the needle's last byte from its first, and the number of places.
    let last = k.wrapping_sub(1);
    let places = n.wrapping_sub(last);
    // SAFETY: all vectors lie within the area; if it has fewer places than a vector has bytes, they
    // start in it and do not cross a page. Candidates are places.
    unsafe {
        if k == 1 {
            let found = memchr(s.cast(), value::<u8>(needle).into(), n);
            return found.cast::<u8>().cast_const();
        }
        if places < V::LEN && (crosses(s, V::LEN) || crosses(s.wrapping_add(last), V::LEN)) {
            return two_way(s, n, needle, k);
        }
        let first_byte = V::splat(value::<u8>(needle));
        let last_byte = V::splat(value::<u8>(needle.wrapping_add(last)));
        let mut at: usize = 0;
        let mut work = 0_usize;
        loop {
            let here = s.wrapping_add(at);
            let candidates = V::both_equal(
                (value::<V>(here), first_byte),
                (value::<V>(here.wrapping_add(last)), last_byte),
            );
            if V::any(candidates) {
                let mut from = 0;
                while from < V::LEN
                    && let Some(more) = V::first(candidates, from)
                {
                    from = from.wrapping_add(more);
                    let place = at.wrapping_add(from);
                    if place >= places {
                        break;
                    }
                    let same = same(s.wrapping_add(place), needle, k);
                    if same == k {
                        return s.wrapping_add(place);
                    }
                    from = from.wrapping_add(1);
                    work = work.wrapping_add(same).wrapping_add(CANDIDATE);
                    if work > at.wrapping_mul(WORK).wrapping_add(WORK_AT_START) {
                        let passed = place.wrapping_add(1);
                        return two_way(s.wrapping_add(passed), n.wrapping_sub(passed), needle, k);
                    }
                }
            }
            let next = at.wrapping_add(V::LEN);
            if next >= places {
                return core::ptr::null();
            }
            // The last vector may examine places again.
            at = usize::min(next, places.wrapping_sub(V::LEN));
        }
    }
}

/// Returns how many bytes from the start were found equal: `k` if all are.
///
/// # Safety
///
/// `a` and `b` must be valid for reads of `k` bytes.
#[inline(always)]
unsafe fn same(a: *const u8, b: *const u8, k: usize) -> usize {
    let mut at = 0;
    // SAFETY: all words end by k.
    unsafe {
        if k >= 8 {
            let last = k.wrapping_sub(8);
            while value::<u64>(a.wrapping_add(at)) == value::<u64>(b.wrapping_add(at)) {
                if at == last {
                    return k;
                }
                at = usize::min(at.wrapping_add(8), last);
            }
        } else {
            while at < k && value::<u8>(a.wrapping_add(at)) == value::<u8>(b.wrapping_add(at)) {
                at = at.wrapping_add(1);
            }
        }
    }
    at
}

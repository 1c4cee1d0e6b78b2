//! The comparisons behind `strcmp`, `strncmp`, `strcasecmp` and `strncasecmp`.

use crate::access::cold_path;
use core::ffi::c_int;

use super::bytes::{Bytes, Four, any_of_four, either_crosses, first_of_four, left_in_page, offset};
use crate::access::value;

/// A criterion for equal bytes.
trait Sameness {
    /// Where `a` is zero or not equal to `b`.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn different_or_zero<V: Bytes>(a: V, b: V) -> V::Hits;

    /// The same value for equal bytes; other bytes have the order of strings.
    fn key(byte: u8) -> u8;
}

/// Bytes are equal.
struct Exact;

/// Bytes are equal except for the case of ASCII letters. musl's `tolower` knows no other letters
/// among bytes, in none of its locales.
struct Folded;

impl Sameness for Exact {
    #[inline(always)]
    unsafe fn different_or_zero<V: Bytes>(a: V, b: V) -> V::Hits {
        // SAFETY: the caller's promise; likewise below.
        unsafe { a.different_or_zero(b) }
    }

    #[inline(always)]
    fn key(byte: u8) -> u8 {
        byte
    }
}

impl Sameness for Folded {
    #[inline(always)]
    unsafe fn different_or_zero<V: Bytes>(a: V, b: V) -> V::Hits {
        // SAFETY: see above.
        unsafe { a.different_folded_or_zero(b) }
    }

    #[inline(always)]
    fn key(byte: u8) -> u8 {
        if byte.wrapping_sub(b'A') < 26 {
            byte | 0x20
        } else {
            byte
        }
    }
}

/// `strcmp`
///
/// # Safety
///
/// As for `strcmp`, and the processor must have these vectors; likewise below.
#[inline(always)]
pub(super) unsafe fn order<V: Bytes>(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { compare::<V, Exact, false>(a, b, 0) }
}

/// `strncmp`
///
/// # Safety
///
/// See [`order`].
#[inline(always)]
pub(super) unsafe fn order_within<V: Bytes>(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { compare::<V, Exact, true>(a, b, n) }
}

/// `strcasecmp`
///
/// # Safety
///
/// See [`order`].
#[inline(always)]
pub(super) unsafe fn order_folded<V: Bytes>(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { compare::<V, Folded, false>(a, b, 0) }
}

/// `strncasecmp`
///
/// # Safety
///
/// See [`order`].
#[inline(always)]
pub(super) unsafe fn order_folded_within<V: Bytes>(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { compare::<V, Folded, true>(a, b, n) }
}

/// Returns the difference between the first bytes that are not equal, or zero if the strings or, if
/// `BOUNDED`, `n` bytes end before.
///
/// # Safety
///
/// `a` and `b` must be valid for reads up to the first byte that is zero or not equal or, if
/// `BOUNDED`, of `n` bytes, whichever is less. The processor must have these vectors.
#[inline(always)]
unsafe fn compare<V: Bytes, S: Sameness, const BOUNDED: bool>(
    a: *const u8,
    b: *const u8,
    n: usize,
) -> c_int {
    if BOUNDED && n == 0 {
        return 0;
    }
    // All bytes before `at` are equal, not zero and less than `n` in number; so the pages in which
    // both strings continue are readable.
    let mut at = 0;
    // SAFETY: each vector lies, in both strings, in readable pages: its first byte is one of the
    // string and it does not cross the page, or its last byte is the last of the page and the bytes
    // before `at` are in the string.
    unsafe {
        if either_crosses(a, b, const { 5 * V::LEN }) {
            cold_path();
        } else {
            if let Some(more) = V::first(hits::<V, S>(a, b, 0), 0) {
                let result = difference::<S, BOUNDED>(a, b, more, n);
                apart();
                return result;
            }
            if BOUNDED && n <= V::LEN {
                return 0;
            }
            if BOUNDED && n <= const { 4 * V::LEN } {
                // The vectors up to `n`, of which two or all three may overlap or coincide.
                let end = n.wrapping_sub(V::LEN);
                let (second, third) = (
                    usize::min(V::LEN, end),
                    usize::min(const { 2 * V::LEN }, end),
                );
                let hits_in_second = hits::<V, S>(a, b, second);
                let hits_in_third = hits::<V, S>(a, b, third);
                let hits_in_last = hits::<V, S>(a, b, end);
                if !V::any(V::either(
                    V::either(hits_in_second, hits_in_third),
                    hits_in_last,
                )) {
                    return 0;
                }
                if let Some(more) = V::first(hits_in_second, 0) {
                    at = second.wrapping_add(more);
                } else if let Some(more) = V::first(hits_in_third, 0) {
                    at = third.wrapping_add(more);
                } else if let Some(more) = V::first(hits_in_last, 0) {
                    at = end.wrapping_add(more);
                }
                return difference::<S, false>(a, b, at, n);
            }
            if let Some(more) = first_of_four::<V>(hits_of_four::<V, S>(a, b, V::LEN)) {
                let result = difference::<S, BOUNDED>(a, b, V::LEN.wrapping_add(more), n);
                apart();
                return result;
            }
            if BOUNDED && n <= const { 5 * V::LEN } {
                return 0;
            }
            // From here on, `a` is aligned.
            at = const { 5 * V::LEN }.wrapping_sub(offset(a, V::LEN));
        }
        loop {
            // Up to the end of the page of the string that is nearer to it.
            let room = usize::min(
                left_in_page(a.wrapping_add(at)),
                left_in_page(b.wrapping_add(at)),
            );
            let end = at.wrapping_add(room);
            while end.wrapping_sub(at) >= const { 4 * V::LEN } {
                let four = hits_of_four::<V, S>(a, b, at);
                if any_of_four::<V>(four)
                    && let Some(more) = first_of_four::<V>(four)
                {
                    return difference::<S, BOUNDED>(a, b, at.wrapping_add(more), n);
                }
                at = at.wrapping_add(const { 4 * V::LEN });
                if BOUNDED && at >= n {
                    return 0;
                }
            }
            while end.wrapping_sub(at) >= V::LEN {
                if let Some(more) = V::first(hits::<V, S>(a, b, at), 0) {
                    return difference::<S, BOUNDED>(a, b, at.wrapping_add(more), n);
                }
                at = at.wrapping_add(V::LEN);
                if BOUNDED && at >= n {
                    return 0;
                }
            }
            if at != end && end >= V::LEN {
                // The last vector of the page. Bytes examined before are not hits.
                at = end.wrapping_sub(V::LEN);
                if let Some(more) = V::first(hits::<V, S>(a, b, at), 0) {
                    return difference::<S, BOUNDED>(a, b, at.wrapping_add(more), n);
                }
                at = end;
            }
            while at != end {
                let (one, other) = (
                    value::<u8>(a.wrapping_add(at)),
                    value::<u8>(b.wrapping_add(at)),
                );
                if S::key(one) != S::key(other) || one == 0 {
                    return difference::<S, BOUNDED>(a, b, at, n);
                }
                at = at.wrapping_add(1);
            }
            if BOUNDED && at >= n {
                return 0;
            }
        }
    }
}

/// # Safety
///
/// The vectors at `a` + `at` and `b` + `at` must lie in pages that are readable, and the processor
/// must have them.
#[inline(always)]
unsafe fn hits<V: Bytes, S: Sameness>(a: *const u8, b: *const u8, at: usize) -> V::Hits {
    // SAFETY: the caller's promise.
    unsafe { S::different_or_zero(value::<V>(a.wrapping_add(at)), value(b.wrapping_add(at))) }
}

/// # Safety
///
/// The four vectors from `a` + `at` and from `b` + `at` must lie in pages that are readable, and
/// the processor must have them.
#[inline(always)]
unsafe fn hits_of_four<V: Bytes, S: Sameness>(
    a: *const u8,
    b: *const u8,
    at: usize,
) -> Four<V::Hits> {
    // SAFETY: the caller's promise.
    unsafe {
        (
            hits::<V, S>(a, b, at),
            hits::<V, S>(a, b, at.wrapping_add(V::LEN)),
            hits::<V, S>(a, b, at.wrapping_add(const { 2 * V::LEN })),
            hits::<V, S>(a, b, at.wrapping_add(const { 3 * V::LEN })),
        )
    }
}

/// Returns the difference between two bytes, or zero if, with `BOUNDED`, they are not among the
/// first `n`.
///
/// # Safety
///
/// The bytes at `a` + `at` and `b` + `at` must be readable.
#[inline(always)]
unsafe fn difference<S: Sameness, const BOUNDED: bool>(
    a: *const u8,
    b: *const u8,
    at: usize,
    n: usize,
) -> c_int {
    if BOUNDED && at >= n {
        return 0;
    }
    // SAFETY: the caller's promise.
    let (a, b) = unsafe {
        (
            value::<u8>(a.wrapping_add(at)),
            value::<u8>(b.wrapping_add(at)),
        )
    };
    c_int::from(S::key(a)).wrapping_sub(c_int::from(S::key(b)))
}

/// Keeps the compiler from merging the following code with equal code elsewhere: most strings are
/// short, and for them the jump is a quarter of the time.
#[inline(always)]
fn apart() {
    #[cfg(not(miri))]
    // SAFETY: there is no instruction.
    unsafe {
        core::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
}

//! Finds the last byte of a value, for `memrchr` and `strrchr`.

use crate::access::{align_loop, cold_path};
use core::ffi::c_int;

use super::bytes::{Bytes, Four, any_of_four, crosses, offset};
use super::find::splat;
use crate::access::value;

/// `memrchr`
///
/// # Safety
///
/// As for `memrchr`, and the processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn last_byte<V: Bytes>(s: *const u8, byte: c_int, n: usize) -> *const u8 {
    if n == 0 {
        return core::ptr::null();
    }
    let end = s.wrapping_add(n.wrapping_sub(1));
    let unaligned = end.wrapping_sub(const { V::LEN - 1 });
    // All bytes from here on were examined.
    let mut at;
    // SAFETY: each vector lies in one page and contains a byte of the area: the first one the last
    // byte, each of the others its own last byte, or that of four.
    unsafe {
        let byte = splat::<V>(byte);
        if crosses(unaligned, V::LEN) {
            cold_path();
            let to = offset(end, V::LEN);
            at = end.wrapping_sub(to);
            if let Some(hit) = V::last(hits(at, byte), to) {
                return unless_before(s, at.wrapping_add(hit));
            }
        } else {
            if let Some(hit) = V::last(hits(unaligned, byte), const { V::LEN - 1 }) {
                return unless_before(s, unaligned.wrapping_add(hit));
            }
            if n <= V::LEN {
                return core::ptr::null();
            }
            if n <= const { 4 * V::LEN } {
                return last_before::<V>(s, byte, n);
            }
            at = end.wrapping_sub(offset(end, V::LEN));
        }
        // Down to a multiple of four vectors.
        while offset(at, const { 4 * V::LEN }) != 0 {
            if at.addr() <= s.addr() {
                return core::ptr::null();
            }
            at = at.wrapping_sub(V::LEN);
            if let Some(hit) = V::last(hits(at, byte), const { V::LEN - 1 }) {
                return unless_before(s, at.wrapping_add(hit));
            }
        }
        loop {
            if at.addr() <= s.addr() {
                return core::ptr::null();
            }
            at = at.wrapping_sub(const { 4 * V::LEN });
            let four = (
                hits(at, byte),
                hits(at.wrapping_add(V::LEN), byte),
                hits(at.wrapping_add(const { 2 * V::LEN }), byte),
                hits(at.wrapping_add(const { 3 * V::LEN }), byte),
            );
            if any_of_four::<V>(four)
                && let Some(hit) = last_of_four::<V>(four)
            {
                return unless_before(s, at.wrapping_add(hit));
            }
        }
    }
}

/// `strrchr`
///
/// # Safety
///
/// As for `strrchr`, and the processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn last_of_string<V: Bytes>(s: *const u8, byte: c_int) -> *const u8 {
    let [wanted, ..] = byte.to_le_bytes();
    let whole = const { V::LEN - 1 };
    // SAFETY: each vector lies in one page and contains a byte of the string, or lies in the same
    // page as one that does: the first one contains `s`, each of the others its own first byte, or
    // that of four.
    unsafe {
        let byte = V::splat(wanted);
        let mut last = core::ptr::null();
        let mut at;
        if crosses(s, const { 5 * V::LEN }) {
            cold_path();
            let before = offset(s, V::LEN);
            at = s.wrapping_sub(before);
            let bytes = value::<V>(at);
            let (ends, to) = match V::first(bytes.zero(), before) {
                Some(more) => (true, before.wrapping_add(more)),
                None => (false, whole),
            };
            if let Some(hit) = V::last(bytes.equal(byte), to)
                && hit >= before
            {
                last = at.wrapping_add(hit);
            }
            if ends {
                return last;
            }
            at = at.wrapping_add(V::LEN);
            // Up to a multiple of four vectors.
            while offset(at, const { 4 * V::LEN }) != 0 {
                let bytes = value::<V>(at);
                let (ends, to) = match V::first(bytes.zero(), 0) {
                    Some(end) => (true, end),
                    None => (false, whole),
                };
                if let Some(hit) = V::last(bytes.equal(byte), to) {
                    last = at.wrapping_add(hit);
                }
                if ends {
                    return last;
                }
                at = at.wrapping_add(V::LEN);
            }
        } else {
            let bytes = value::<V>(s);
            let hits = bytes.equal(byte);
            if let Some(end) = V::first(bytes.zero(), 0) {
                return match V::last(hits, end) {
                    Some(hit) => s.wrapping_add(hit),
                    None => core::ptr::null(),
                };
            }
            if let Some(hit) = V::last(hits, whole) {
                last = s.wrapping_add(hit);
            }
            at = s.wrapping_add(V::LEN);
            if in_two_of::<V>(at, wanted, &mut last)
                || in_two_of::<V>(at.wrapping_add(const { 2 * V::LEN }), wanted, &mut last)
            {
                return last;
            }
            // Back to a multiple of four vectors, so some are examined again.
            at = at.wrapping_add(const { 4 * V::LEN });
            at = at.wrapping_sub(offset(at, const { 4 * V::LEN }));
        }
        align_loop();
        loop {
            let four = (
                value::<V>(at).equal_or_zero(byte),
                value::<V>(at.wrapping_add(V::LEN)).equal_or_zero(byte),
                value::<V>(at.wrapping_add(const { 2 * V::LEN })).equal_or_zero(byte),
                value::<V>(at.wrapping_add(const { 3 * V::LEN })).equal_or_zero(byte),
            );
            if any_of_four::<V>(four)
                && (in_two_of::<V>(at, wanted, &mut last)
                    || in_two_of::<V>(at.wrapping_add(const { 2 * V::LEN }), wanted, &mut last))
            {
                return last;
            }
            at = at.wrapping_add(const { 4 * V::LEN });
        }
    }
}

/// Searches for `wanted` in two consecutive vectors, up to the end of the string, and returns
/// whether they contain that end.
///
/// # Safety
///
/// The vectors must lie in readable pages, and the processor must have them.
#[inline(always)]
unsafe fn in_two_of<V: Bytes>(at: *const u8, wanted: u8, last: &mut *const u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let byte = V::splat(wanted);
        let (one, other) = (value::<V>(at), value::<V>(at.wrapping_add(V::LEN)));
        // Most strings contain the byte rarely, and most vectors do not contain it before the end.
        match V::first_of_two(one.equal_or_zero(byte), other.equal_or_zero(byte)) {
            None => return false,
            Some(first) => {
                let first = at.wrapping_add(first);
                if value::<u8>(first) == 0 {
                    if wanted == 0 {
                        *last = first;
                    }
                    return true;
                }
            }
        }
        let (ends, to) = match V::first_of_two(one.zero(), other.zero()) {
            Some(end) => (true, end),
            None => (false, const { 2 * V::LEN - 1 }),
        };
        if let Some(hit) = V::last_of_two(one.equal(byte), other.equal(byte), to) {
            *last = at.wrapping_add(hit);
        }
        ends
    }
}

/// Returns the last hit if the last vector of `n` bytes has none: in the vector before it, the
/// second and the first, of which two or all three may overlap or coincide.
///
/// # Safety
///
/// `s` must be valid for reads of `n` bytes, one to four vectors. The processor must have them.
#[inline(always)]
unsafe fn last_before<V: Bytes>(s: *const u8, byte: V, n: usize) -> *const u8 {
    let to = const { V::LEN - 1 };
    let (second, before) = if n > const { 2 * V::LEN } {
        let end = n.wrapping_sub(const { 2 * V::LEN });
        (s.wrapping_add(V::LEN), s.wrapping_add(end))
    } else {
        (s, s)
    };
    // SAFETY: all three are within the area.
    unsafe {
        let (hits_in_first, hits_in_second, hits_before) =
            (hits(s, byte), hits(second, byte), hits(before, byte));
        if !V::any(V::either(
            V::either(hits_in_first, hits_in_second),
            hits_before,
        )) {
            core::ptr::null()
        } else if let Some(hit) = V::last(hits_before, to) {
            before.wrapping_add(hit)
        } else if let Some(hit) = V::last(hits_in_second, to) {
            second.wrapping_add(hit)
        } else if let Some(hit) = V::last(hits_in_first, to) {
            s.wrapping_add(hit)
        } else {
            core::ptr::null()
        }
    }
}

/// # Safety
///
/// The vector must lie in readable pages, and the processor must have it.
#[inline(always)]
unsafe fn hits<V: Bytes>(at: *const u8, byte: V) -> V::Hits {
    // SAFETY: the caller's promise.
    unsafe { value::<V>(at).equal(byte) }
}

/// The last hit in four vectors.
///
/// # Safety
///
/// The processor must have these vectors.
#[inline(always)]
unsafe fn last_of_four<V: Bytes>(four: Four<V::Hits>) -> Option<usize> {
    let to = const { V::LEN - 1 };
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(at) = V::last(four.3, to) {
            Some(at.wrapping_add(const { 3 * V::LEN }))
        } else if let Some(at) = V::last(four.2, to) {
            Some(at.wrapping_add(const { 2 * V::LEN }))
        } else if let Some(at) = V::last(four.1, to) {
            Some(at.wrapping_add(V::LEN))
        } else {
            V::last(four.0, to)
        }
    }
}

/// Returns null if the last hit is before the area.
#[inline(always)]
fn unless_before(s: *const u8, hit: *const u8) -> *const u8 {
    if hit.addr() < s.addr() {
        core::ptr::null()
    } else {
        hit
    }
}

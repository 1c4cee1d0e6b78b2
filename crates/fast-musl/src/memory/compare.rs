//! The comparisons behind `memcmp` and `bcmp`.

use core::ffi::c_int;

use super::arch::{self, Block};
use super::vector::{Vector, inner};
use crate::access::value;

/// Returns the order of the first bytes that differ.
///
/// # Safety
///
/// `a` and `b` must be valid for reads of `n` initialised bytes.
#[inline(always)]
pub(super) unsafe fn order(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= 16 {
            return order_up_to_16(a, b, n);
        }
        if n > 64 {
            return arch::order_large(a, b, n);
        }
        let early = order_early(a, b);
        if early != 0 {
            early
        } else if differ_16_to_64(a, b, n) {
            order_in_blocks(a, b, n)
        } else {
            0
        }
    }
}

/// Returns a non-zero value if any byte differs.
///
/// # Safety
///
/// As for [`order`].
#[inline(always)]
pub(super) unsafe fn differ(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= 16 {
            c_int::from(differ_up_to_16(a, b, n))
        } else if n <= 64 {
            c_int::from(differ_16_to_64(a, b, n))
        } else {
            arch::differ_large(a, b, n)
        }
    }
}

/// Compares as one big-endian number. Bytes that are loaded twice do no harm: the second time they
/// follow themselves.
///
/// # Safety
///
/// As for [`order`], and `n` <= 16.
#[inline(always)]
unsafe fn order_up_to_16(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: each offset plus the size of what is loaded there is at most n.
    let (a, b) = unsafe {
        if n >= 8 {
            let first = (value::<u64>(a).to_be(), value::<u64>(b).to_be());
            if first.0 == first.1 {
                let last = n.wrapping_sub(8);
                (
                    value::<u64>(a.wrapping_add(last)).to_be(),
                    value::<u64>(b.wrapping_add(last)).to_be(),
                )
            } else {
                first
            }
        } else if n >= 4 {
            (two_words(a, n), two_words(b, n))
        } else {
            return order_below_4(a, b, n);
        }
    };
    c_int::from(a > b).wrapping_sub(c_int::from(a < b))
}

/// # Safety
///
/// `at` must be valid for reads of `n` initialised bytes, and 4 <= `n` <= 8.
#[inline(always)]
unsafe fn two_words(at: *const u8, n: usize) -> u64 {
    // SAFETY: both words end by n.
    let (first, last) = unsafe {
        (
            value::<u32>(at),
            value::<u32>(at.wrapping_add(n.wrapping_sub(4))),
        )
    };
    u64::from(first.to_be()) << 32 | u64::from(last.to_be())
}

/// Compares byte by byte, because the first byte often decides.
///
/// # Safety
///
/// As for [`order`], and `n` < 4.
#[inline(always)]
unsafe fn order_below_4(a: *const u8, b: *const u8, n: usize) -> c_int {
    if n == 0 {
        return 0;
    }
    // SAFETY: all three bytes are below n; a byte that is compared twice is equal the second time.
    unsafe {
        let first = order_at(a, b, 0);
        if n == 1 || first != 0 {
            return first;
        }
        let middle = order_at(a, b, n / 2);
        if middle != 0 {
            return middle;
        }
        order_at(a, b, n.wrapping_sub(1))
    }
}

/// # Safety
///
/// As for [`order`], and `n` <= 16.
#[inline(always)]
unsafe fn differ_up_to_16(a: *const u8, b: *const u8, n: usize) -> bool {
    // SAFETY: each offset plus the size of what is loaded there is at most n.
    unsafe {
        if n >= 8 {
            let last = n.wrapping_sub(8);
            let first = value::<u64>(a) ^ value::<u64>(b);
            first | value::<u64>(a.wrapping_add(last)) ^ value::<u64>(b.wrapping_add(last)) != 0
        } else if n >= 4 {
            let last = n.wrapping_sub(4);
            let first = value::<u32>(a) ^ value::<u32>(b);
            first | value::<u32>(a.wrapping_add(last)) ^ value::<u32>(b.wrapping_add(last)) != 0
        } else if n != 0 {
            let (middle, last) = (n / 2, n.wrapping_sub(1));
            let first = value::<u8>(a) ^ value::<u8>(b);
            let middle = value::<u8>(a.wrapping_add(middle)) ^ value::<u8>(b.wrapping_add(middle));
            let last = value::<u8>(a.wrapping_add(last)) ^ value::<u8>(b.wrapping_add(last));
            first | middle | last != 0
        } else {
            false
        }
    }
}

/// Compares four blocks: two from the start, two up to the end.
///
/// # Safety
///
/// As for [`order`], and 16 <= `n` <= 64.
#[inline(always)]
unsafe fn differ_16_to_64(a: *const u8, b: *const u8, n: usize) -> bool {
    let (inner, last) = (inner(n, 16), n.wrapping_sub(16));
    // SAFETY: last + 16 = n, and inner is 0 or, where n > 32, 16; so all four blocks end by n.
    // Every processor has blocks.
    unsafe {
        let start = Block::both(equal_at::<Block>(a, b, 0), equal_at::<Block>(a, b, inner));
        let end = Block::both(
            equal_at::<Block>(a, b, last.wrapping_sub(inner)),
            equal_at::<Block>(a, b, last),
        );
        Block::differs(Block::both(start, end))
    }
}

/// Returns the order of areas that were found to differ: block by block up to the first difference.
///
/// There may be none left if another thread or process writes to the areas during the call: the
/// loop ends with the last block in any case.
///
/// # Safety
///
/// As for [`order`], and `n` >= 16.
#[inline(always)]
unsafe fn order_in_blocks(a: *const u8, b: *const u8, n: usize) -> c_int {
    let last = n.wrapping_sub(16);
    let mut at = 0;
    // SAFETY: a block starts at most 16 bytes before n.
    unsafe {
        loop {
            let equal = equal_at::<Block>(a, b, at);
            if Block::differs(equal) {
                return order_at(a, b, at.wrapping_add(Block::first_difference(equal)));
            }
            if at == last {
                return 0;
            }
            at = usize::min(at.wrapping_add(16), last);
        }
    }
}

/// [`order`] for long areas: a loop over four vectors, then the last four.
///
/// # Safety
///
/// As for [`order`], `n` >= 4 vectors, and the processor must have them.
#[inline(always)]
pub(super) unsafe fn order_loop<V: Vector>(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: a difference found by `first_four` lies in the four vectors from there.
    unsafe {
        match first_four::<V>(a, b, n) {
            Some(at) => {
                order_in_blocks(a.wrapping_add(at), b.wrapping_add(at), const { 4 * V::LEN })
            }
            None => 0,
        }
    }
}

/// [`differ`] for long areas.
///
/// # Safety
///
/// As for [`order_loop`].
#[inline(always)]
pub(super) unsafe fn differ_loop<V: Vector>(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    c_int::from(unsafe { first_four::<V>(a, b, n).is_some() })
}

/// Returns the order of the first sixteen bytes: data that is sorted mostly differs early.
///
/// # Safety
///
/// As for [`order`], and `n` >= 16.
#[inline(always)]
pub(super) unsafe fn order_early(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: the caller's promise; every processor has blocks.
    unsafe {
        let first = equal_at::<Block>(a, b, 0);
        if Block::differs(first) {
            order_at(a, b, Block::first_difference(first))
        } else {
            0
        }
    }
}

/// Returns whether the first sixteen bytes differ: areas that differ mostly do so early, which
/// needs no loop.
///
/// # Safety
///
/// As for [`order`], and `n` >= 16.
#[inline(always)]
pub(super) unsafe fn differ_early(a: *const u8, b: *const u8) -> bool {
    // SAFETY: the caller's promise; every processor has blocks.
    unsafe { Block::differs(equal_at::<Block>(a, b, 0)) }
}

/// Returns the start of the first run of four vectors with a difference. All bytes before are
/// equal.
///
/// # Safety
///
/// As for [`order_loop`].
#[inline(always)]
unsafe fn first_four<V: Vector>(a: *const u8, b: *const u8, n: usize) -> Option<usize> {
    let end = n.wrapping_sub(const { 4 * V::LEN });
    let mut at = 0;
    // SAFETY: every run ends by end + 4 vectors = n.
    unsafe {
        while at < end {
            if four_differ::<V>(a.wrapping_add(at), b.wrapping_add(at)) {
                return Some(at);
            }
            at = at.wrapping_add(const { 4 * V::LEN });
        }
        four_differ::<V>(a.wrapping_add(end), b.wrapping_add(end)).then_some(end)
    }
}

/// # Safety
///
/// As for [`order`] with `n` = 4 vectors, and the processor must have them.
#[inline(always)]
unsafe fn four_differ<V: Vector>(a: *const u8, b: *const u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let start = V::both(equal_at::<V>(a, b, 0), equal_at::<V>(a, b, V::LEN));
        let end = V::both(
            equal_at::<V>(a, b, const { 2 * V::LEN }),
            equal_at::<V>(a, b, const { 3 * V::LEN }),
        );
        V::differs(V::both(start, end))
    }
}

/// # Safety
///
/// `a` and `b` must be valid for reads of `at` + 1 vector, initialised, and the processor must have
/// these vectors.
#[inline(always)]
unsafe fn equal_at<V: Vector>(a: *const u8, b: *const u8, at: usize) -> V::Equal {
    // SAFETY: the caller's promise; every bit pattern is a vector.
    unsafe {
        V::equal(
            value::<V>(a.wrapping_add(at)),
            value::<V>(b.wrapping_add(at)),
        )
    }
}

/// # Safety
///
/// `a` and `b` must be valid for reads of `at` + 1 initialised bytes.
#[inline(always)]
unsafe fn order_at(a: *const u8, b: *const u8, at: usize) -> c_int {
    // SAFETY: the caller's promise.
    let (a, b) = unsafe {
        (
            value::<u8>(a.wrapping_add(at)),
            value::<u8>(b.wrapping_add(at)),
        )
    };
    c_int::from(a).wrapping_sub(c_int::from(b))
}

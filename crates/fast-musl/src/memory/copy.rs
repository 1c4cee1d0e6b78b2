//! The copy behind `memcpy` and `memmove`.
//!
//! Each vector has its own variable: without optimisation, an array or a struct of several would be
//! moved by a call to `memcpy`.
#![allow(
    clippy::many_single_char_names,
    reason = "pieces of memory that differ only in their position"
)]

use super::arch::{self, Block};
use super::vector::{Vector, inner};
use crate::access::{load, store};

/// Copies `n` bytes, which may overlap, and returns `dst`.
///
/// # Safety
///
/// `src` must be valid for reads and `dst` for writes of `n` bytes.
#[inline(always)]
pub(super) unsafe fn copy(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= 16 {
            copy_up_to_16(dst, src, n);
        } else if n <= 64 {
            copy_16_to_64(dst, src, n);
        } else {
            return arch::copy_large(dst, src, n);
        }
    }
    dst
}

/// Copies two overlapping words, the first and the last; below four bytes, three bytes that may
/// coincide.
///
/// # Safety
///
/// As for [`copy`], and `n` <= 16.
#[inline(always)]
unsafe fn copy_up_to_16(dst: *mut u8, src: *const u8, n: usize) {
    // SAFETY: each offset plus the size of what is loaded or stored there is at most n.
    unsafe {
        if n >= 8 {
            let (first, last) = (
                load::<u64>(src),
                load::<u64>(src.wrapping_add(n.wrapping_sub(8))),
            );
            store(dst, first);
            store(dst.wrapping_add(n.wrapping_sub(8)), last);
        } else if n >= 4 {
            let (first, last) = (
                load::<u32>(src),
                load::<u32>(src.wrapping_add(n.wrapping_sub(4))),
            );
            store(dst, first);
            store(dst.wrapping_add(n.wrapping_sub(4)), last);
        } else if n != 0 {
            let (first, last) = (
                load::<u8>(src),
                load::<u8>(src.wrapping_add(n.wrapping_sub(1))),
            );
            let middle = load::<u8>(src.wrapping_add(n / 2));
            store(dst, first);
            store(dst.wrapping_add(n / 2), middle);
            store(dst.wrapping_add(n.wrapping_sub(1)), last);
        }
    }
}

/// Copies four blocks: two from the start, two up to the end.
///
/// # Safety
///
/// As for [`copy`], and 16 <= `n` <= 64.
#[inline(always)]
unsafe fn copy_16_to_64(dst: *mut u8, src: *const u8, n: usize) {
    let (inner, last) = (inner(n, 16), n.wrapping_sub(16));
    // SAFETY: last + 16 = n, and inner is 0 or, if n > 32, 16; so all four blocks end by n. All are
    // loaded before the first store, because the areas may overlap.
    unsafe {
        let a = load::<Block>(src);
        let b = load::<Block>(src.wrapping_add(inner));
        let c = load::<Block>(src.wrapping_add(last.wrapping_sub(inner)));
        let d = load::<Block>(src.wrapping_add(last));
        store(dst, a);
        store(dst.wrapping_add(inner), b);
        store(dst.wrapping_add(last.wrapping_sub(inner)), c);
        store(dst.wrapping_add(last), d);
    }
}

/// Copies eight vectors: four from the start, four up to the end.
///
/// # Safety
///
/// As for [`copy`], `n` from 4 to 8 vectors, and the processor must have them.
#[inline(always)]
pub(super) unsafe fn copy_eight<V: Vector>(dst: *mut u8, src: *const u8, n: usize) {
    let last = n.wrapping_sub(const { 4 * V::LEN });
    let (dst_last, src_last) = (dst.wrapping_add(last), src.wrapping_add(last));
    // SAFETY: both runs of four vectors end by n. All are loaded before the first store, because
    // the areas may overlap.
    unsafe {
        let a = load::<V>(src);
        let b = load::<V>(src.wrapping_add(V::LEN));
        let c = load::<V>(src.wrapping_add(const { 2 * V::LEN }));
        let d = load::<V>(src.wrapping_add(const { 3 * V::LEN }));
        let e = load::<V>(src_last);
        let f = load::<V>(src_last.wrapping_add(V::LEN));
        let g = load::<V>(src_last.wrapping_add(const { 2 * V::LEN }));
        let h = load::<V>(src_last.wrapping_add(const { 3 * V::LEN }));
        store(dst, a);
        store(dst.wrapping_add(V::LEN), b);
        store(dst.wrapping_add(const { 2 * V::LEN }), c);
        store(dst.wrapping_add(const { 3 * V::LEN }), d);
        store(dst_last, e);
        store(dst_last.wrapping_add(V::LEN), f);
        store(dst_last.wrapping_add(const { 2 * V::LEN }), g);
        store(dst_last.wrapping_add(const { 3 * V::LEN }), h);
    }
}

/// Copies in a loop over four vectors, upwards or, if that would overwrite bytes of `src` before
/// they are read, downwards.
///
/// # Safety
///
/// As for [`copy`], `n` > 4 vectors, and the processor must have them.
#[inline(always)]
pub(super) unsafe fn copy_loop<V: Vector>(dst: *mut u8, src: *const u8, n: usize) {
    // As a distance modulo the address space: below n exactly if dst lies within src's bytes.
    let within = dst.addr().wrapping_sub(src.addr()) < n;
    // SAFETY: the caller's promise; each function is called for the direction it requires.
    unsafe {
        if within {
            copy_downwards::<V>(dst, src, n);
        } else {
            copy_upwards::<V>(dst, src, n);
        }
    }
}

/// # Safety
///
/// As for [`copy_loop`]; `dst` must not point to any of the `n` bytes of `src` except the first.
#[inline(always)]
unsafe fn copy_upwards<V: Vector>(dst: *mut u8, src: *const u8, n: usize) {
    let end = n.wrapping_sub(const { 4 * V::LEN });
    let (dst_end, src_end) = (dst.wrapping_add(end), src.wrapping_add(end));
    // Aligned stores are what pays; the first vector covers the bytes before them.
    let before = V::LEN.wrapping_sub(dst.addr() & const { V::LEN - 1 });
    let (mut to, mut from) = (dst.wrapping_add(before), src.wrapping_add(before));
    // SAFETY: every access ends by end + 4 vectors = n. An iteration loads before it stores, and
    // stores only below the addresses that later ones load, because dst is below src or apart from
    // it. The rest, the first vector and the last four, is loaded before the loop and stored after
    // it.
    unsafe {
        let first = load::<V>(src);
        let a = load::<V>(src_end);
        let b = load::<V>(src_end.wrapping_add(V::LEN));
        let c = load::<V>(src_end.wrapping_add(const { 2 * V::LEN }));
        let d = load::<V>(src_end.wrapping_add(const { 3 * V::LEN }));
        while to < dst_end {
            copy_four::<V>(to, from);
            to = to.wrapping_add(const { 4 * V::LEN });
            from = from.wrapping_add(const { 4 * V::LEN });
        }
        store(dst_end, a);
        store(dst_end.wrapping_add(V::LEN), b);
        store(dst_end.wrapping_add(const { 2 * V::LEN }), c);
        store(dst_end.wrapping_add(const { 3 * V::LEN }), d);
        store(dst, first);
    }
}

/// # Safety
///
/// As for [`copy_loop`]; `src` must not point to any of the `n` bytes of `dst` except the first.
#[inline(always)]
unsafe fn copy_downwards<V: Vector>(dst: *mut u8, src: *const u8, n: usize) {
    // The last vector covers the bytes after the last aligned store.
    let mut at = n.wrapping_sub(dst.addr().wrapping_add(n) & const { V::LEN - 1 });
    // SAFETY: `copy_upwards` mirrored: the loop ends when at most four vectors from the start are
    // left, which are loaded before and stored after it, like the last vector.
    unsafe {
        let last = load::<V>(src.wrapping_add(n.wrapping_sub(V::LEN)));
        let a = load::<V>(src);
        let b = load::<V>(src.wrapping_add(V::LEN));
        let c = load::<V>(src.wrapping_add(const { 2 * V::LEN }));
        let d = load::<V>(src.wrapping_add(const { 3 * V::LEN }));
        while at > const { 4 * V::LEN } {
            at = at.wrapping_sub(const { 4 * V::LEN });
            copy_four::<V>(dst.wrapping_add(at), src.wrapping_add(at));
        }
        store(dst, a);
        store(dst.wrapping_add(V::LEN), b);
        store(dst.wrapping_add(const { 2 * V::LEN }), c);
        store(dst.wrapping_add(const { 3 * V::LEN }), d);
        store(dst.wrapping_add(n.wrapping_sub(V::LEN)), last);
    }
}

/// Copies four vectors, all loaded before the first store.
///
/// # Safety
///
/// As for [`copy`] with `n` = 4 vectors.
#[inline(always)]
unsafe fn copy_four<V: Vector>(dst: *mut u8, src: *const u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let a = load::<V>(src);
        let b = load::<V>(src.wrapping_add(V::LEN));
        let c = load::<V>(src.wrapping_add(const { 2 * V::LEN }));
        let d = load::<V>(src.wrapping_add(const { 3 * V::LEN }));
        store(dst, a);
        store(dst.wrapping_add(V::LEN), b);
        store(dst.wrapping_add(const { 2 * V::LEN }), c);
        store(dst.wrapping_add(const { 3 * V::LEN }), d);
    }
}

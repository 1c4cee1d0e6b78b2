//! The fill behind `memset`.

use core::mem::MaybeUninit;

use super::arch::{self, Block};
use super::vector::{Vector, inner};
use crate::access::store;

/// Sets `n` bytes to `byte` and returns `dst`.
///
/// # Safety
///
/// `dst` must be valid for writes of `n` bytes.
#[inline(always)]
pub(super) unsafe fn fill(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n > 64 {
            return arch::fill_large(dst, byte, n);
        }
        if n >= 16 {
            fill_pieces(dst, Block::splat(byte), n);
        } else if n >= 4 {
            fill_pieces(dst, u32::from_ne_bytes([byte; 4]), n);
        } else {
            fill_below_4(dst, byte, n);
        }
    }
    dst
}

/// Fills three bytes that may coincide.
///
/// # Safety
///
/// As for [`fill`], and `n` < 4.
#[inline(always)]
unsafe fn fill_below_4(dst: *mut u8, byte: u8, n: usize) {
    if n == 0 {
        return;
    }
    let byte = MaybeUninit::new(byte);
    // SAFETY: all three bytes are below n.
    unsafe {
        store(dst, byte);
        store(dst.wrapping_add(n / 2), byte);
        store(dst.wrapping_add(n.wrapping_sub(1)), byte);
    }
}

/// Fills four pieces: two from the start, two up to the end. `piece` consists of the byte.
///
/// # Safety
///
/// As for [`fill`], and `n` is from one to four times the size of `T`, a power of two.
#[inline(always)]
unsafe fn fill_pieces<T: Copy>(dst: *mut u8, piece: T, n: usize) {
    let piece = MaybeUninit::new(piece);
    let (inner, last) = (inner(n, size_of::<T>()), n.wrapping_sub(size_of::<T>()));
    // SAFETY: inner is 0 or, if n is more than two pieces, one piece; so all four end by n.
    unsafe {
        store(dst, piece);
        store(dst.wrapping_add(inner), piece);
        store(dst.wrapping_add(last.wrapping_sub(inner)), piece);
        store(dst.wrapping_add(last), piece);
    }
}

/// Fills eight vectors: four from the start, four up to the end. `vector` consists of the byte.
///
/// # Safety
///
/// As for [`fill`], and `n` is from 4 to 8 vectors.
#[inline(always)]
pub(super) unsafe fn fill_eight<V: Vector>(dst: *mut u8, vector: V, n: usize) {
    let vector = MaybeUninit::new(vector);
    // SAFETY: both runs of four vectors end by n.
    unsafe {
        store_four(dst, vector);
        store_four(
            dst.wrapping_add(n.wrapping_sub(const { 4 * V::LEN })),
            vector,
        );
    }
}

/// Fills in a loop over four vectors.
///
/// # Safety
///
/// As for [`fill`], `n` >= 4 vectors, and the processor must have them.
#[inline(always)]
pub(super) unsafe fn fill_loop<V: Vector>(dst: *mut u8, byte: u8, n: usize) {
    let end = n.wrapping_sub(const { 4 * V::LEN });
    // The first vector covers the bytes before the first aligned store.
    let mut at = V::LEN.wrapping_sub(dst.addr() & const { V::LEN - 1 });
    // SAFETY: every store ends by end + 4 vectors = n.
    unsafe {
        let vector = MaybeUninit::new(V::splat(byte));
        store(dst, vector);
        while at < end {
            store_four(dst.wrapping_add(at), vector);
            at = at.wrapping_add(const { 4 * V::LEN });
        }
        store_four(dst.wrapping_add(end), vector);
    }
}

/// # Safety
///
/// As for [`fill`] with `n` = 4 vectors.
#[inline(always)]
unsafe fn store_four<V: Vector>(dst: *mut u8, vector: MaybeUninit<V>) {
    // SAFETY: the caller's promise.
    unsafe {
        store(dst, vector);
        store(dst.wrapping_add(V::LEN), vector);
        store(dst.wrapping_add(const { 2 * V::LEN }), vector);
        store(dst.wrapping_add(const { 3 * V::LEN }), vector);
    }
}

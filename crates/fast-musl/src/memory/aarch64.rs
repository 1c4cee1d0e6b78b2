//! The routines for `aarch64`, with plain integers: sixteen bytes are a pair of registers.
//!
//! This uses only baseline instructions and no intrinsics, so Miri can run all of it.

use core::ffi::c_int;

use super::compare::{differ_early, differ_loop, order_early, order_loop};
use super::copy::{copy_eight, copy_loop};
use super::fill::{fill_eight, fill_loop};
use super::vector::Vector;

/// The type for short lengths.
pub(super) type Block = u128;

// SAFETY: an integer of sixteen bytes.
unsafe impl Vector for u128 {
    /// Bits that differ, in the order of the bytes.
    type Equal = u128;

    #[inline(always)]
    unsafe fn splat(byte: u8) -> u128 {
        u128::from_ne_bytes([byte; 16])
    }

    #[inline(always)]
    unsafe fn equal(a: u128, b: u128) -> u128 {
        (a ^ b).to_le()
    }

    #[inline(always)]
    unsafe fn both(a: u128, b: u128) -> u128 {
        a | b
    }

    #[inline(always)]
    unsafe fn first_difference(equal: u128) -> usize {
        equal.trailing_zeros() as usize / 8
    }

    #[inline(always)]
    unsafe fn differs(equal: u128) -> bool {
        equal != 0
    }
}

/// # Safety
///
/// As for `copy`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn copy_large(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= 128 {
            copy_eight::<Block>(dst, src, n);
        } else {
            copy_loop::<Block>(dst, src, n);
        }
    }
    dst
}

/// # Safety
///
/// As for `fill`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn fill_large(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= 128 {
            fill_eight(dst, Block::splat(byte), n);
        } else {
            fill_loop::<Block>(dst, byte, n);
        }
    }
    dst
}

/// # Safety
///
/// As for `order`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn order_large(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let early = order_early(a, b);
        if early != 0 {
            return early;
        }
        order_loop::<Block>(a, b, n)
    }
}

/// # Safety
///
/// As for `differ`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn differ_large(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        if differ_early(a, b) {
            return 1;
        }
        differ_loop::<Block>(a, b, n)
    }
}

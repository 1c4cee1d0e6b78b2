//! Loads and stores at any address.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#![allow(
    clippy::transmute_ptr_to_ref,
    reason = "a pointer that is dereferenced is checked when debug assertions are on, by core"
)]
#![allow(clippy::inline_always, reason = "a call costs as much as the access")]

use core::mem::{MaybeUninit, transmute};

/// A `T` without alignment.
#[repr(C, packed)]
struct Place<T>(T);

/// Returns a place in memory as a reference: with debug assertions, pointers would be checked, with
/// a call into core for null.
///
/// # Safety
///
/// `at` must be valid for reads of the size of `T` and hold a `T` while the result is used.
#[inline(always)]
unsafe fn place<'a, T>(at: *const u8) -> &'a Place<T> {
    // SAFETY: the caller's promise; the type has the size of `T` and no alignment.
    unsafe { transmute::<*const u8, &Place<T>>(at) }
}

/// Loads a value to store elsewhere.
///
/// `MaybeUninit`, because a copy must preserve padding and pointers, which a load of an integer
/// would not. The instructions are the same.
///
/// # Safety
///
/// `at` must be valid for reads of the size of `T`; it need not be aligned.
#[inline(always)]
pub(crate) unsafe fn load<T: Copy>(at: *const u8) -> MaybeUninit<T> {
    // SAFETY: the caller's promise; any bytes are a `MaybeUninit`.
    unsafe { place::<MaybeUninit<T>>(at).0 }
}

/// Stores a value loaded by [`load`].
///
/// # Safety
///
/// `at` must be valid for writes of the size of `T`; it need not be aligned.
#[inline(always)]
pub(crate) unsafe fn store<T: Copy>(at: *mut u8, value: MaybeUninit<T>) {
    // SAFETY: the caller's promise.
    unsafe { transmute::<*mut u8, &mut Place<MaybeUninit<T>>>(at).0 = value }
}

/// Loads a value to compute with.
///
/// # Safety
///
/// `at` must be valid for reads of the size of `T`, initialised, and every bit pattern of that size
/// a `T`; it need not be aligned.
#[cfg(any(feature = "memory", feature = "strings"))]
#[inline(always)]
pub(crate) unsafe fn value<T: Copy>(at: *const u8) -> T {
    // SAFETY: the caller's promise.
    unsafe { place::<T>(at).0 }
}

/// Marks the current branch as rarely taken. (core's is newer than the Rust that this crate
/// requires.)
#[cfg(feature = "strings")]
#[cold]
#[inline]
pub(crate) fn cold_path() {}

/// Aligns the following loop to 64 bytes. Otherwise, a short loop over vectors in the first-level
/// cache takes up to a quarter longer on Zen 5, depending on the build.
#[cfg(feature = "strings")]
#[inline(always)]
pub(crate) fn align_loop() {
    #[cfg(all(not(miri), target_arch = "x86_64"))]
    // SAFETY: it only inserts padding.
    unsafe {
        core::arch::asm!(".p2align 6", options(nomem, nostack, preserves_flags));
    }
}

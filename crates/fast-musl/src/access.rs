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

/// A place in memory, as a reference: with debug assertions, pointers would be checked, with a call
/// into core where they are null.
///
/// # Safety
///
/// `at` must be valid for reads of the size of `T`, and hold a `T`, as long as the result is used.
#[inline(always)]
unsafe fn place<'a, T>(at: *const u8) -> &'a Place<T> {
    // SAFETY: the caller's promise; the type has the size of `T` and no alignment.
    unsafe { transmute::<*const u8, &Place<T>>(at) }
}

/// Loads what is to be stored elsewhere.
///
/// `MaybeUninit`, because a copy must carry padding and pointers, which a load of an integer would
/// not. It makes no difference to the instructions.
///
/// # Safety
///
/// `at` must be valid for reads of the size of `T`; it need not be aligned.
#[inline(always)]
pub(crate) unsafe fn load<T: Copy>(at: *const u8) -> MaybeUninit<T> {
    // SAFETY: the caller's promise; any bytes are a `MaybeUninit`.
    unsafe { place::<MaybeUninit<T>>(at).0 }
}

/// Stores what [`load`] took.
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

/// Says that the way here is seldom taken. (core's is newer than the Rust that this crate asks for.)
#[cfg(feature = "strings")]
#[cold]
#[inline]
pub(crate) fn cold_path() {}

/// Starts what follows, a loop, at a multiple of 64 bytes. Elsewhere, a short loop over vectors that are in
/// the first cache takes up to a quarter longer on Zen 5, from build to build.
#[cfg(feature = "strings")]
#[inline(always)]
pub(crate) fn align_loop() {
    #[cfg(all(not(miri), target_arch = "x86_64"))]
    // SAFETY: it does nothing.
    unsafe {
        core::arch::asm!(".p2align 6", options(nomem, nostack, preserves_flags));
    }
}

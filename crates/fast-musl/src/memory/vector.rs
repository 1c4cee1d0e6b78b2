//! Unaligned loads and stores, and what a vector must be able to do.
#![allow(
    clippy::transmute_ptr_to_ref,
    reason = "a pointer that is dereferenced is checked when debug assertions are on, by core"
)]

use core::mem::{MaybeUninit, transmute};

/// Sixteen or more bytes that the processor handles at once.
///
/// # Safety
///
/// Every bit pattern is a value, and `LEN` is the size, a power of two.
pub(super) unsafe trait Vector: Copy {
    /// Bytes in a vector.
    const LEN: usize = size_of::<Self>();

    /// Which bytes of two vectors are equal, or of several pairs at once.
    type Equal: Copy;

    /// `byte` in all places.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn splat(byte: u8) -> Self;

    /// Compares byte by byte.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn equal(a: Self, b: Self) -> Self::Equal;

    /// The places that are equal in both.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn both(a: Self::Equal, b: Self::Equal) -> Self::Equal;

    /// The index of the first place that is not equal, or a number from `LEN` up.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn first_difference(equal: Self::Equal) -> usize;

    /// Whether any place is not equal.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn differs(equal: Self::Equal) -> bool;
}

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
pub(super) unsafe fn load<T: Copy>(at: *const u8) -> MaybeUninit<T> {
    // SAFETY: the caller's promise; any bytes are a `MaybeUninit`.
    unsafe { place::<MaybeUninit<T>>(at).0 }
}

/// Stores what [`load`] took.
///
/// # Safety
///
/// `at` must be valid for writes of the size of `T`; it need not be aligned.
#[inline(always)]
pub(super) unsafe fn store<T: Copy>(at: *mut u8, value: MaybeUninit<T>) {
    // SAFETY: the caller's promise.
    unsafe { transmute::<*mut u8, &mut Place<MaybeUninit<T>>>(at).0 = value }
}

/// Loads a value to compute with.
///
/// # Safety
///
/// `at` must be valid for reads of the size of `T`, initialised, and every bit pattern of that size
/// a `T`; it need not be aligned.
#[inline(always)]
pub(super) unsafe fn value<T: Copy>(at: *const u8) -> T {
    // SAFETY: the caller's promise.
    unsafe { place::<T>(at).0 }
}

/// How far behind the start, and before the end, the inner two of four pieces of `len` bytes lie, so
/// that the four cover every `n` from `len` to `4 * len`: 0 up to `2 * len`, `len` above.
///
/// It takes the place of a branch that lengths in no order would mispredict, which costs more than
/// a load and a store done twice.
#[inline(always)]
pub(super) const fn inner(n: usize, len: usize) -> usize {
    // From len to 2 * len the bit 2 * len of n - 1 is clear, up to 4 * len it is set.
    (n.wrapping_sub(1) & (2 * len)) >> 1
}

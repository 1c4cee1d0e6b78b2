//! Operations on vectors, and how four pieces cover a length.

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

    /// A vector of `byte`.
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

    /// Returns whether any place is not equal.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn differs(equal: Self::Equal) -> bool;
}

/// How far the inner two of four pieces of `len` bytes lie after the start, and before the end, so
/// that the four cover every `n` from `len` to `4 * len`: 0 up to `2 * len`, `len` above.
///
/// It replaces a branch that would be mispredicted for lengths in random order, which costs more
/// than a repeated load and store.
#[inline(always)]
pub(super) const fn inner(n: usize, len: usize) -> usize {
    // From len to 2 * len, the bit 2 * len of n - 1 is clear; up to 4 * len it is set.
    (n.wrapping_sub(1) & (2 * len)) >> 1
}

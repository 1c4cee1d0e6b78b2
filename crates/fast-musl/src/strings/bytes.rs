//! Operations on vectors, and the page boundaries that they must not cross.

use super::bits;

/// The smallest page size of the supported systems. Memory is readable in whole pages.
const PAGE: usize = 4096;

/// Sixteen or more bytes that are examined at once.
///
/// # Safety
///
/// Every bit pattern is a value, and `LEN` is the size, a power of two and not more than 128.
pub(super) unsafe trait Bytes: Copy {
    /// Bytes in a vector.
    const LEN: usize = size_of::<Self>();

    /// Which bytes of a vector, or of several vectors at the same places, are hits.
    type Hits: Copy;

    /// A vector of `byte`.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors, as for all other functions.
    unsafe fn splat(byte: u8) -> Self;

    /// Where `self` is zero.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn zero(self) -> Self::Hits;

    /// Where `self` equals `other`.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn equal(self, other: Self) -> Self::Hits;

    /// Where `self` equals `other` or is zero.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn equal_or_zero(self, other: Self) -> Self::Hits;

    /// Where `self` differs from `other` or is zero.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn different_or_zero(self, other: Self) -> Self::Hits;

    /// Where `self` differs from `other`, ignoring the case of ASCII letters, or is zero.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn different_folded_or_zero(self, other: Self) -> Self::Hits;

    /// Where both pairs are equal.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn both_equal(one: (Self, Self), other: (Self, Self)) -> Self::Hits;

    /// Where at least one of both has a hit.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn either(one: Self::Hits, other: Self::Hits) -> Self::Hits;

    /// Returns whether there is a hit.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn any(hits: Self::Hits) -> bool;

    /// The first hit at or after `from`, counted from there.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat). `from` must be less than `LEN`.
    unsafe fn first(hits: Self::Hits, from: usize) -> Option<usize>;

    /// The first hit in two consecutive vectors.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat).
    unsafe fn first_of_two(one: Self::Hits, other: Self::Hits) -> Option<usize>;

    /// The last hit at or before `to`.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat). `to` must be less than `LEN`.
    unsafe fn last(hits: Self::Hits, to: usize) -> Option<usize>;

    /// The last hit at or before `to` in two consecutive vectors.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat). `to` must be less than twice `LEN`.
    unsafe fn last_of_two(one: Self::Hits, other: Self::Hits, to: usize) -> Option<usize>;

    /// The length of the start of string `s` that consists of bytes in `set`, if `WITHIN`, or not
    /// in it.
    ///
    /// # Safety
    ///
    /// See [`splat`](Self::splat). Both must be strings.
    #[inline(always)]
    unsafe fn span<const WITHIN: bool>(s: *const u8, set: *const u8) -> usize {
        // SAFETY: the caller's promise.
        unsafe { bits::span::<WITHIN>(s, set) }
    }
}

/// The hits in four consecutive vectors.
pub(super) type Four<H> = (H, H, H, H);

/// Returns whether one of four has a hit.
///
/// # Safety
///
/// The processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn any_of_four<V: Bytes>(four: Four<V::Hits>) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        V::any(V::either(
            V::either(four.0, four.1),
            V::either(four.2, four.3),
        ))
    }
}

/// The first hit in four vectors.
///
/// # Safety
///
/// The processor must have these vectors.
#[allow(
    clippy::manual_map,
    reason = "`map` is core's, which must not be called here"
)]
#[inline(always)]
pub(super) unsafe fn first_of_four<V: Bytes>(four: Four<V::Hits>) -> Option<usize> {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(at) = V::first_of_two(four.0, four.1) {
            return Some(at);
        }
        match V::first_of_two(four.2, four.3) {
            Some(at) => Some(at.wrapping_add(const { 2 * V::LEN })),
            None => None,
        }
    }
}

/// The address's offset from a multiple of `len`, a power of two.
#[inline(always)]
pub(super) fn offset(at: *const u8, len: usize) -> usize {
    at.addr() & len.wrapping_sub(1)
}

/// Returns whether `len` bytes from this address are in more than one page.
#[inline(always)]
pub(super) fn crosses(at: *const u8, len: usize) -> bool {
    offset(at, PAGE) > PAGE.wrapping_sub(len)
}

/// Returns whether `len` bytes from either address are in more than one page.
#[inline(always)]
pub(super) fn either_crosses(one: *const u8, other: *const u8, len: usize) -> bool {
    usize::max(offset(one, PAGE), offset(other, PAGE)) > PAGE.wrapping_sub(len)
}

/// The number of bytes from this address to the end of its page.
#[inline(always)]
pub(super) fn left_in_page(at: *const u8) -> usize {
    PAGE.wrapping_sub(offset(at, PAGE))
}

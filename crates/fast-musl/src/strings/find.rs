//! Finds the first byte of a kind, for `strlen`, `strnlen`, `memchr`, `strchr` and `strchrnul`, and
//! for the sets of `span`.

use crate::access::{align_loop, cold_path};
use core::ffi::c_int;

use super::bytes::{Bytes, Four, any_of_four, crosses, first_of_four, offset};
use crate::access::value;

/// The kind of byte to find.
pub(super) trait Wanted<V: Bytes>: Copy {
    /// Where it occurs.
    ///
    /// # Safety
    ///
    /// The processor must have these vectors.
    unsafe fn hits(self, bytes: V) -> V::Hits;
}

/// The end of a string.
#[derive(Clone, Copy)]
struct End;

/// A byte, as a vector of it.
#[derive(Clone, Copy)]
struct Byte<V>(V);

/// A byte or the end of the string.
#[derive(Clone, Copy)]
struct ByteOrEnd<V>(V);

impl<V: Bytes> Wanted<V> for End {
    #[inline(always)]
    unsafe fn hits(self, bytes: V) -> V::Hits {
        // SAFETY: the caller's promise; likewise below.
        unsafe { bytes.zero() }
    }
}

impl<V: Bytes> Wanted<V> for Byte<V> {
    #[inline(always)]
    unsafe fn hits(self, bytes: V) -> V::Hits {
        // SAFETY: see above.
        unsafe { bytes.equal(self.0) }
    }
}

impl<V: Bytes> Wanted<V> for ByteOrEnd<V> {
    #[inline(always)]
    unsafe fn hits(self, bytes: V) -> V::Hits {
        // SAFETY: see above.
        unsafe { bytes.equal_or_zero(self.0) }
    }
}

/// A vector of `byte`, truncated to eight bits as in C.
///
/// # Safety
///
/// The processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn splat<V: Bytes>(byte: c_int) -> V {
    let [byte, ..] = byte.to_le_bytes();
    // SAFETY: the caller's promise.
    unsafe { V::splat(byte) }
}

/// `strlen`
///
/// # Safety
///
/// As for `strlen`, and the processor must have these vectors; likewise below.
#[inline(always)]
pub(super) unsafe fn end<V: Bytes>(s: *const u8) -> usize {
    // SAFETY: the caller's promise; likewise below.
    unsafe { find::<V, false>(s, 0, End) }
}

/// `strnlen`
///
/// # Safety
///
/// See [`end`].
#[inline(always)]
pub(super) unsafe fn end_within<V: Bytes>(s: *const u8, n: usize) -> usize {
    // SAFETY: see above.
    usize::min(unsafe { find::<V, true>(s, n, End) }, n)
}

/// `memchr`
///
/// # Safety
///
/// See [`end`].
#[inline(always)]
pub(super) unsafe fn byte_within<V: Bytes>(s: *const u8, byte: c_int, n: usize) -> *const u8 {
    // SAFETY: see above.
    let at = unsafe { find::<V, true>(s, n, Byte(splat::<V>(byte))) };
    if at < n {
        s.wrapping_add(at)
    } else {
        core::ptr::null()
    }
}

/// `strchr`
///
/// # Safety
///
/// See [`end`].
#[inline(always)]
pub(super) unsafe fn byte<V: Bytes>(s: *const u8, byte: c_int) -> *const u8 {
    let [low, ..] = byte.to_le_bytes();
    // SAFETY: see above; the byte found was read.
    unsafe {
        let found = byte_or_end::<V>(s, byte);
        if value::<u8>(found) == low {
            found
        } else {
            core::ptr::null()
        }
    }
}

/// `strchrnul`
///
/// # Safety
///
/// See [`end`].
#[inline(always)]
pub(super) unsafe fn byte_or_end<V: Bytes>(s: *const u8, byte: c_int) -> *const u8 {
    // SAFETY: see above.
    s.wrapping_add(unsafe { find::<V, false>(s, 0, ByteOrEnd(splat::<V>(byte))) })
}

/// Returns the distance from `s` to the first byte wanted; if `BOUNDED`, a number of at least `n`
/// if the byte is not one of the first `n`.
///
/// # Safety
///
/// `s` must be valid for reads up to that byte or, if `BOUNDED`, of `n` bytes, whichever is less.
/// The processor must have these vectors.
#[inline(always)]
pub(super) unsafe fn find<V: Bytes, const BOUNDED: bool>(
    s: *const u8,
    n: usize,
    wanted: impl Wanted<V>,
) -> usize {
    if BOUNDED && n == 0 {
        return 0;
    }
    // SAFETY: each vector lies in one page and contains a byte of the area, or lies in the same
    // page as one that does: the first one contains `s`, each of the others its own first byte, or
    // that of four. All bytes before are not hits and less than `n` in number.
    unsafe {
        let mut at;
        if crosses(s, const { 5 * V::LEN }) {
            cold_path();
            let before = offset(s, V::LEN);
            let aligned = value::<V>(s.wrapping_sub(before));
            if let Some(at) = V::first(wanted.hits(aligned), before) {
                return at;
            }
            at = V::LEN.wrapping_sub(before);
            // Up to a multiple of four vectors.
            while offset(s.wrapping_add(at), const { 4 * V::LEN }) != 0 {
                if BOUNDED && at >= n {
                    return n;
                }
                if let Some(more) = V::first(hits::<V>(s, at, wanted), 0) {
                    return at.wrapping_add(more);
                }
                at = at.wrapping_add(V::LEN);
            }
        } else {
            if let Some(at) = V::first(hits::<V>(s, 0, wanted), 0) {
                return at;
            }
            if BOUNDED && n <= V::LEN {
                return n;
            }
            if let Some(more) = first_of_four::<V>(hits_of_four::<V>(s, V::LEN, wanted)) {
                return V::LEN.wrapping_add(more);
            }
            // Back to a multiple of four vectors, so some are examined again.
            at = const { 5 * V::LEN };
            at = at.wrapping_sub(offset(s.wrapping_add(at), const { 4 * V::LEN }));
        }
        align_loop();
        loop {
            if BOUNDED && at >= n {
                return n;
            }
            let four = hits_of_four::<V>(s, at, wanted);
            if any_of_four::<V>(four)
                && let Some(more) = first_of_four::<V>(four)
            {
                return at.wrapping_add(more);
            }
            at = at.wrapping_add(const { 4 * V::LEN });
        }
    }
}

/// # Safety
///
/// The vector at `s` + `at` must lie in readable pages, and the processor must have it.
#[inline(always)]
unsafe fn hits<V: Bytes>(s: *const u8, at: usize, wanted: impl Wanted<V>) -> V::Hits {
    // SAFETY: the caller's promise.
    unsafe { wanted.hits(value::<V>(s.wrapping_add(at))) }
}

/// # Safety
///
/// The four vectors from `s` + `at` must lie in readable pages, and the processor must have them.
#[inline(always)]
unsafe fn hits_of_four<V: Bytes>(s: *const u8, at: usize, wanted: impl Wanted<V>) -> Four<V::Hits> {
    // SAFETY: the caller's promise.
    unsafe {
        (
            hits::<V>(s, at, wanted),
            hits::<V>(s, at.wrapping_add(V::LEN), wanted),
            hits::<V>(s, at.wrapping_add(const { 2 * V::LEN }), wanted),
            hits::<V>(s, at.wrapping_add(const { 3 * V::LEN }), wanted),
        )
    }
}

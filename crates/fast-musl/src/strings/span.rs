//! The length of the start of a string within a set of bytes or outside it, for `strspn`, `strcspn`
//! and `strpbrk`.
//!
//! The cost of preparing the set matters, because most sets and most strings are short.

use super::bytes::Bytes;
use super::find::byte_or_end;
use crate::access::value;

/// `strspn`
///
/// # Safety
///
/// As for `strspn`, and the processor must have these vectors; likewise below.
#[inline(always)]
pub(super) unsafe fn within<V: Bytes>(s: *const u8, set: *const u8) -> usize {
    // SAFETY: the caller's promise; likewise below.
    unsafe { V::span::<true>(s, set) }
}

/// `strcspn`
///
/// # Safety
///
/// See [`within`].
#[inline(always)]
pub(super) unsafe fn outside<V: Bytes>(s: *const u8, set: *const u8) -> usize {
    // SAFETY: see above.
    unsafe {
        let first = value::<u8>(set);
        if first == 0 || value::<u8>(set.wrapping_add(1)) == 0 {
            let found = byte_or_end::<V>(s, first.into());
            return found.addr().wrapping_sub(s.addr());
        }
        V::span::<false>(s, set)
    }
}

/// `strpbrk`
///
/// # Safety
///
/// See [`within`].
#[inline(always)]
pub(super) unsafe fn first_of<V: Bytes>(s: *const u8, set: *const u8) -> *const u8 {
    // SAFETY: see above; the byte found is in the string, or its end.
    unsafe {
        let found = s.wrapping_add(outside::<V>(s, set));
        if value::<u8>(found) == 0 {
            core::ptr::null()
        } else {
            found
        }
    }
}

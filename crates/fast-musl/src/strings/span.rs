//! The length of the start of a string within a set of bytes or outside it, for `strspn`, `strcspn`
//! and `strpbrk`.
//!
//! The cost of preparing the set matters, because most sets and most strings are short.

use super::bytes::Bytes;
use super::find::byte_or_end;
use crate::access::{store, value};
use core::mem::MaybeUninit;

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

/// The length of the start of a string within the set, if `WITHIN`, or outside it, byte by byte.
///
/// # Safety
///
/// Both must be strings.
#[inline(always)]
pub(super) unsafe fn by_bytes<const WITHIN: bool>(s: *const u8, set: *const u8) -> usize {
    // One bit per byte, set for the bytes in the set.
    let mut bits = [0_u32; 8];
    let bits = (&raw mut bits).cast::<u8>();
    let word = |byte: u8| bits.wrapping_add(4 * (byte as usize / 32));
    // SAFETY: the caller's promise; a byte selects one of eight 32-bit words. The end of the string
    // is not in the set, but ends the other kind of span as well.
    unsafe {
        let mut at = set;
        loop {
            let byte = value::<u8>(at);
            if WITHIN && byte == 0 {
                break;
            }
            let with = value::<u32>(word(byte)) | 1_u32.wrapping_shl(byte.into());
            store(word(byte), MaybeUninit::new(with));
            if byte == 0 {
                break;
            }
            at = at.wrapping_add(1);
        }
        let mut at = s;
        loop {
            let byte = value::<u8>(at);
            let is_in = value::<u32>(word(byte)).wrapping_shr(byte.into()) & 1 != 0;
            if is_in != WITHIN {
                return at.addr().wrapping_sub(s.addr());
            }
            at = at.wrapping_add(1);
        }
    }
}

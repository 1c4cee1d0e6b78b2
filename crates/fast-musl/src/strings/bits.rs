//! A set of bytes as one bit per byte value, for strings read byte by byte.

use core::mem::MaybeUninit;

use crate::access::{store, value};

/// The length of the start of a string within the set, if `WITHIN`, or outside it, byte by byte.
///
/// # Safety
///
/// Both must be strings.
#[inline(always)]
pub(super) unsafe fn span<const WITHIN: bool>(s: *const u8, set: *const u8) -> usize {
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

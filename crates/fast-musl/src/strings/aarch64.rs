//! The routines for `aarch64`, with plain integers: sixteen bytes are a pair of registers.
//!
//! This uses only baseline instructions and no intrinsics, so Miri can run all of it.

use super::bytes::Bytes;

/// The vectors that every processor has.
pub(super) type Block = u128;

/// Calls a routine with these vectors.
macro_rules! widest {
    ($($routine:ident)::+($($argument:ident: $type:ty),+) -> $result:ty) => {{
        // SAFETY: the caller's promise.
        let result: $result = unsafe { $($routine)::+::<u128>($($argument),+) };
        result
    }};
}
pub(super) use widest;

/// The low seven bits of each byte.
const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);

/// Returns the highest bit of each byte that is zero, with the bytes in memory order.
///
/// The shorter formulas for this are wrong after the first zero. Here the last one matters too, and
/// the first one after others.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "this takes the lower half")]
fn zeros(bytes: u128) -> u128 {
    let bytes = bytes.to_le();
    // No carry leaves its byte, so the halves need not wait for each other.
    let half = |half: u64| !((half & LOW).wrapping_add(LOW) | half | LOW);
    u128::from(half(bytes as u64)) | u128::from(half((bytes >> 64) as u64)) << 64
}

/// Returns the highest bit of each byte from 'a' to 'z'.
#[inline(always)]
fn letters(bytes: u128) -> u128 {
    // No carry leaves its byte.
    let low = bytes & splat(0x7f);
    let from_a = low.wrapping_add(splat(0x80 - b'a'));
    let behind_z = low.wrapping_add(splat(0x7f - b'z'));
    from_a & !behind_z & !bytes & splat(0x80)
}

#[inline(always)]
const fn splat(byte: u8) -> u128 {
    u128::from_ne_bytes([byte; 16])
}

// SAFETY: an integer of sixteen bytes.
unsafe impl Bytes for u128 {
    /// Not zero in bytes that are hits, with the bytes in memory order.
    type Hits = u128;

    #[inline(always)]
    unsafe fn splat(byte: u8) -> u128 {
        splat(byte)
    }

    #[inline(always)]
    unsafe fn zero(self) -> u128 {
        zeros(self)
    }

    #[inline(always)]
    unsafe fn equal(self, other: u128) -> u128 {
        zeros(self ^ other)
    }

    #[inline(always)]
    unsafe fn equal_or_zero(self, other: u128) -> u128 {
        zeros(self) | zeros(self ^ other)
    }

    #[inline(always)]
    unsafe fn different_or_zero(self, other: u128) -> u128 {
        zeros(self) | (self ^ other).to_le()
    }

    #[inline(always)]
    unsafe fn different_folded_or_zero(self, other: u128) -> u128 {
        // Only bit 5 may differ, and only if `self` is a letter.
        let ignored = letters(self | splat(0x20)) >> 2;
        zeros(self) | ((self ^ other) & !ignored).to_le()
    }

    #[inline(always)]
    unsafe fn both_equal(one: (u128, u128), other: (u128, u128)) -> u128 {
        zeros((one.0 ^ one.1) | (other.0 ^ other.1))
    }

    #[inline(always)]
    unsafe fn either(one: u128, other: u128) -> u128 {
        one | other
    }

    #[inline(always)]
    unsafe fn any(hits: u128) -> bool {
        hits != 0
    }

    #[inline(always)]
    unsafe fn first(hits: u128, from: usize) -> Option<usize> {
        #[allow(clippy::cast_possible_truncation, reason = "it is less than 16")]
        let hits = hits.wrapping_shr(8_u32.wrapping_mul(from as u32));
        if hits == 0 {
            None
        } else {
            Some(hits.trailing_zeros() as usize / 8)
        }
    }

    #[inline(always)]
    unsafe fn first_of_two(one: u128, other: u128) -> Option<usize> {
        if one != 0 {
            Some(one.trailing_zeros() as usize / 8)
        } else if other != 0 {
            Some(other.trailing_zeros() as usize / 8 | 16)
        } else {
            None
        }
    }

    #[inline(always)]
    unsafe fn last(hits: u128, to: usize) -> Option<usize> {
        #[allow(clippy::cast_possible_truncation, reason = "it is less than 16")]
        let hits = hits.wrapping_shl(8_u32.wrapping_mul(15_u32.wrapping_sub(to as u32)));
        if hits == 0 {
            None
        } else {
            Some(to.wrapping_sub(hits.leading_zeros() as usize / 8))
        }
    }

    #[inline(always)]
    unsafe fn last_of_two(one: u128, other: u128, to: usize) -> Option<usize> {
        // SAFETY: the caller's promise.
        unsafe {
            if to < 16 {
                Self::last(one, to)
            } else if let Some(at) = Self::last(other, to & 15) {
                Some(at | 16)
            } else {
                Self::last(one, 15)
            }
        }
    }
}

//! Sixteen bytes with SSE2, which every `x86_64` processor has, and thirty-two with AVX2.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi8, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8,
    _mm_cmpgt_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    _mm_setzero_si128, _mm_xor_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_setzero_si256, _mm256_xor_si256,
};

use super::bytes::Bytes;
use super::nibbles;

/// The vectors that every processor has.
pub(super) type Block = __m128i;

/// Calls a routine with the widest vectors that the processor has.
///
/// The compiler may use AVX2 only within a separate function, and the bit instructions that come
/// with it on all processors except some virtual ones. It clears the upper halves of the registers
/// before it returns from there. The function has C's ABI, which says that it does not unwind, and
/// is the last one that its caller calls, so both together are a test and a jump. The other
/// function is out of line, so its registers need not be saved before the test.
macro_rules! widest {
    ($($routine:ident)::+($($argument:ident: $type:ty),+) -> $result:ty) => {{
        /// # Safety
        ///
        /// As for the routine, and the processor must have these features.
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
        unsafe extern "C" fn avx2($($argument: $type),+) -> $result {
            // SAFETY: the caller's promise.
            unsafe { $($routine)::+::<::core::arch::x86_64::__m256i>($($argument),+) }
        }

        /// # Safety
        ///
        /// As for the routine.
        #[inline(never)]
        unsafe extern "C" fn baseline($($argument: $type),+) -> $result {
            // SAFETY: the caller's promise; the features are present where they are used.
            unsafe {
                if $crate::cpu::Features::get().avx2_and_bits() {
                    avx2($($argument),+)
                } else {
                    $($routine)::+::<::core::arch::x86_64::__m128i>($($argument),+)
                }
            }
        }

        // SAFETY: the caller's promise; the features are present where they are used.
        unsafe {
            if let Some(features) = $crate::cpu::Features::known()
                && features.avx2_and_bits()
            {
                avx2($($argument),+)
            } else {
                baseline($($argument),+)
            }
        }
    }};
}
pub(super) use widest;

// SAFETY: sixteen bytes of any content. SSE2 is part of the baseline.
unsafe impl Bytes for __m128i {
    /// Zero in bytes that are hits.
    type Hits = __m128i;

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        // SAFETY: every processor has SSE2; likewise below.
        unsafe { _mm_set1_epi8(byte.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn zero(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn equal(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_xor_si128(self, other) }
    }

    #[inline(always)]
    unsafe fn equal_or_zero(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_min_epu8(self, _mm_xor_si128(self, other)) }
    }

    #[inline(always)]
    unsafe fn different_or_zero(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_min_epu8(self, _mm_cmpeq_epi8(self, other)) }
    }

    #[inline(always)]
    unsafe fn different_folded_or_zero(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            // Only bit 5 may differ, and only if `self` is a letter: 'a' to 'z' are moved to the
            // end of the signed numbers.
            let shifted = _mm_add_epi8(
                _mm_or_si128(self, Self::splat(0x20)),
                Self::splat(0x7f - b'z'),
            );
            let letters = _mm_cmpgt_epi8(shifted, Self::splat(0x7f - 26));
            let ignored = _mm_and_si128(letters, Self::splat(0x20));
            let different = _mm_andnot_si128(ignored, _mm_xor_si128(self, other));
            _mm_min_epu8(self, _mm_cmpeq_epi8(different, _mm_setzero_si128()))
        }
    }

    #[inline(always)]
    unsafe fn both_equal(one: (Self, Self), other: (Self, Self)) -> Self {
        // SAFETY: see above.
        unsafe { _mm_or_si128(_mm_xor_si128(one.0, one.1), _mm_xor_si128(other.0, other.1)) }
    }

    #[inline(always)]
    unsafe fn either(one: Self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_min_epu8(one, other) }
    }

    #[inline(always)]
    unsafe fn any(hits: Self) -> bool {
        bits_128(hits) != 0
    }

    #[inline(always)]
    unsafe fn first(hits: Self, from: usize) -> Option<usize> {
        first_bit(bits_128(hits), from)
    }

    #[inline(always)]
    unsafe fn first_of_two(one: Self, other: Self) -> Option<usize> {
        first_bit(bits_128(one) | bits_128(other) << 16, 0)
    }

    #[inline(always)]
    unsafe fn last(hits: Self, to: usize) -> Option<usize> {
        last_bit(bits_128(hits), to)
    }

    #[inline(always)]
    unsafe fn last_of_two(one: Self, other: Self, to: usize) -> Option<usize> {
        last_bit(bits_128(one) | bits_128(other) << 16, to)
    }
}

// SAFETY: thirty-two bytes of any content.
unsafe impl Bytes for __m256i {
    /// Zero in bytes that are hits.
    type Hits = __m256i;

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        // SAFETY: the caller's promise that the processor has AVX2; likewise below.
        unsafe { _mm256_set1_epi8(byte.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn zero(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn equal(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_xor_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn equal_or_zero(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_min_epu8(self, _mm256_xor_si256(self, other)) }
    }

    #[inline(always)]
    unsafe fn different_or_zero(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_min_epu8(self, _mm256_cmpeq_epi8(self, other)) }
    }

    #[inline(always)]
    unsafe fn different_folded_or_zero(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            // Only bit 5 may differ, and only if `self` is a letter: 'a' to 'z' are moved to the
            // end of the signed numbers.
            let shifted = _mm256_add_epi8(
                _mm256_or_si256(self, Self::splat(0x20)),
                Self::splat(0x7f - b'z'),
            );
            let letters = _mm256_cmpgt_epi8(shifted, Self::splat(0x7f - 26));
            let ignored = _mm256_and_si256(letters, Self::splat(0x20));
            let different = _mm256_andnot_si256(ignored, _mm256_xor_si256(self, other));
            _mm256_min_epu8(self, _mm256_cmpeq_epi8(different, _mm256_setzero_si256()))
        }
    }

    #[inline(always)]
    unsafe fn both_equal(one: (Self, Self), other: (Self, Self)) -> Self {
        // SAFETY: see above.
        unsafe {
            _mm256_or_si256(
                _mm256_xor_si256(one.0, one.1),
                _mm256_xor_si256(other.0, other.1),
            )
        }
    }

    #[inline(always)]
    unsafe fn either(one: Self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_min_epu8(one, other) }
    }

    #[inline(always)]
    unsafe fn any(hits: Self) -> bool {
        // SAFETY: see above.
        unsafe { bits_256(hits) != 0 }
    }

    #[inline(always)]
    unsafe fn first(hits: Self, from: usize) -> Option<usize> {
        // SAFETY: see above.
        first_bit(unsafe { bits_256(hits) }, from)
    }

    #[inline(always)]
    unsafe fn first_of_two(one: Self, other: Self) -> Option<usize> {
        // SAFETY: see above.
        let (one, other) = unsafe { (bits_256(one), bits_256(other)) };
        let bits = u64::from(one) | u64::from(other) << 32;
        if bits == 0 {
            None
        } else {
            Some(bits.trailing_zeros() as usize)
        }
    }

    #[inline(always)]
    unsafe fn last_of_two(one: Self, other: Self, to: usize) -> Option<usize> {
        // SAFETY: see above.
        let (one, other) = unsafe { (bits_256(one), bits_256(other)) };
        let bits = u64::from(one) | u64::from(other) << 32;
        #[allow(clippy::cast_possible_truncation, reason = "it is less than 64")]
        let bits = bits.wrapping_shl(63_u32.wrapping_sub(to as u32));
        if bits == 0 {
            None
        } else {
            Some(to.wrapping_sub(bits.leading_zeros() as usize))
        }
    }

    #[inline(always)]
    unsafe fn last(hits: Self, to: usize) -> Option<usize> {
        // SAFETY: see above.
        last_bit(unsafe { bits_256(hits) }, to)
    }

    #[inline(always)]
    unsafe fn span<const WITHIN: bool>(s: *const u8, set: *const u8) -> usize {
        // SAFETY: the caller's promise.
        unsafe { nibbles::span::<WITHIN>(s, set) }
    }
}

/// Returns a bit for each byte, set if the byte is zero.
#[inline(always)]
fn bits_128(hits: __m128i) -> u32 {
    // SAFETY: every processor has SSE2.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(hits, _mm_setzero_si128())) }.cast_unsigned()
}

/// Returns a bit for each byte, set if the byte is zero.
///
/// # Safety
///
/// The processor must have AVX2.
#[inline(always)]
unsafe fn bits_256(hits: __m256i) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(hits, _mm256_setzero_si256())) }.cast_unsigned()
}

/// Returns the first set bit at or above `from` < 32, counted from there.
#[inline(always)]
fn first_bit(bits: u32, from: usize) -> Option<usize> {
    #[allow(clippy::cast_possible_truncation, reason = "it is less than 32")]
    let bits = bits.wrapping_shr(from as u32);
    if bits == 0 {
        None
    } else {
        Some(bits.trailing_zeros() as usize)
    }
}

/// Returns the last set bit at or below `to` < 32.
#[inline(always)]
fn last_bit(bits: u32, to: usize) -> Option<usize> {
    #[allow(clippy::cast_possible_truncation, reason = "it is less than 32")]
    let bits = bits.wrapping_shl(31_u32.wrapping_sub(to as u32));
    if bits == 0 {
        None
    } else {
        Some(to.wrapping_sub(bits.leading_zeros() as usize))
    }
}

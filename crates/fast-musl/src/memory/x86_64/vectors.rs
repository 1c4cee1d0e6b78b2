//! Sixteen bytes with SSE2 and thirty-two with AVX2.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_and_si128, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set1_epi8,
    _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set1_epi8,
};

use super::super::vector::Vector;

// SAFETY: sixteen bytes of any content. SSE2 is part of the baseline.
unsafe impl Vector for __m128i {
    /// All bits are set in bytes that are equal.
    type Equal = __m128i;

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        // SAFETY: every processor has SSE2; likewise below.
        unsafe { _mm_set1_epi8(byte.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn equal(a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_cmpeq_epi8(a, b) }
    }

    #[inline(always)]
    unsafe fn both(a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_and_si128(a, b) }
    }

    #[inline(always)]
    unsafe fn first_difference(equal: Self) -> usize {
        // SAFETY: see above.
        unsafe { _mm_movemask_epi8(equal) }.trailing_ones() as usize
    }

    #[inline(always)]
    unsafe fn differs(equal: Self) -> bool {
        // SAFETY: see above.
        unsafe { _mm_movemask_epi8(equal) != 0xffff }
    }
}

// SAFETY: thirty-two bytes of any content.
unsafe impl Vector for __m256i {
    /// All bits are set in bytes that are equal.
    type Equal = __m256i;

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        // SAFETY: the caller's promise that the processor has AVX2; likewise below.
        unsafe { _mm256_set1_epi8(byte.cast_signed()) }
    }

    #[inline(always)]
    unsafe fn equal(a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_cmpeq_epi8(a, b) }
    }

    #[inline(always)]
    unsafe fn both(a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    unsafe fn first_difference(equal: Self) -> usize {
        // SAFETY: see above.
        unsafe { _mm256_movemask_epi8(equal) }.trailing_ones() as usize
    }

    #[inline(always)]
    unsafe fn differs(equal: Self) -> bool {
        // SAFETY: see above.
        unsafe { _mm256_movemask_epi8(equal) != -1 }
    }
}

//! Sets of bytes as tables of 16 by 16 bits, in which AVX2 looks up thirty-two bytes at once.
//!
//! The low half of a byte is its column, the high half its row. One shuffle looks up the columns of
//! all bytes of a vector, another one the bits of their rows (Geoff Langdale and Daniel Lemire,
//! "Parsing gigabytes of JSON per second", VLDB Journal 28, 2019, classify bytes that way).
//!
//! The table is built in a register, because a vector that was just stored byte by byte is slow to
//! load.

use core::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_andnot_si256, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
    _mm256_xor_si256,
};

use super::bytes::Bytes;
use super::find::{Wanted, find};
use crate::access::value;

/// The length of the start of a string within the set, if `WITHIN`, or outside it.
///
/// # Safety
///
/// Both must be strings, and the processor must have AVX2.
#[inline(always)]
pub(super) unsafe fn span<const WITHIN: bool>(s: *const u8, set: *const u8) -> usize {
    // SAFETY: the caller's promise. The end of the string is not in the set, but ends the other
    // kind of span as well.
    unsafe {
        let mut columns = _mm256_setzero_si256();
        let mut at = set;
        loop {
            let byte = value::<u8>(at);
            if WITHIN && byte == 0 {
                break;
            }
            columns = _mm256_or_si256(columns, column(byte));
            if byte == 0 {
                break;
            }
            at = at.wrapping_add(1);
        }
        if WITHIN {
            columns = _mm256_xor_si256(columns, __m256i::splat(0xff));
        }
        let table = Table {
            lower: _mm256_permute2x128_si256::<0x00>(columns, columns),
            upper: _mm256_permute2x128_si256::<0x11>(columns, columns),
        };
        find::<__m256i, false>(s, 0, table)
    }
}

/// The columns of the lower eight rows, and of the upper eight, each twice: a shuffle works on each
/// half of a vector separately.
#[derive(Clone, Copy)]
struct Table {
    lower: __m256i,
    upper: __m256i,
}

impl Wanted<__m256i> for Table {
    #[inline(always)]
    unsafe fn hits(self, bytes: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            // A shuffle returns zero where the highest bit is set.
            let columns = _mm256_or_si256(
                _mm256_shuffle_epi8(self.lower, bytes),
                _mm256_shuffle_epi8(self.upper, _mm256_xor_si256(bytes, __m256i::splat(0x80))),
            );
            _mm256_andnot_si256(columns, rows(bytes))
        }
    }
}

/// Returns the table of one byte: the lower eight rows in the lower half, the upper ones in the
/// upper half.
///
/// # Safety
///
/// The processor must have AVX2.
#[inline(always)]
unsafe fn column(byte: u8) -> __m256i {
    // SAFETY: the caller's promise; both loads are within the tables.
    unsafe {
        // Promoted constants, because a static's address would have to be relocated.
        let (bits, marks): (&[u8; 16], &[u8; LOWER + 32]) = (&BITS, &MARKS);
        let (row, column) = (usize::from(byte >> 4), usize::from(byte & 0x8f));
        let bit = value::<u8>((&raw const *bits).cast::<u8>().wrapping_add(row));
        let lower = (&raw const *marks).cast::<u8>().wrapping_add(LOWER);
        _mm256_and_si256(value(lower.wrapping_sub(column)), __m256i::splat(bit))
    }
}

/// The bit of each row.
const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

/// Two marks, so the vector at `LOWER` - `byte & 0x8f` has a mark in exactly the column of `byte`:
/// `byte & 0xf` of the lower half or, if the highest bit is set, of the upper one.
const MARKS: [u8; LOWER + 32] = {
    let mut marks = [0; LOWER + 32];
    marks[LOWER] = 0xff;
    marks[LOWER - 0x80 + 16] = 0xff;
    marks
};
const LOWER: usize = 0x8f;

/// The bit of each byte's row within a column.
///
/// # Safety
///
/// The processor must have AVX2.
#[inline(always)]
unsafe fn rows(bytes: __m256i) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let bits = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let row = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), __m256i::splat(0x0f));
        _mm256_shuffle_epi8(bits, row)
    }
}

//! The routines for `x86_64`: SSE2, which every such processor has, for short lengths; AVX2 or
//! string instructions for long ones, where the processor has them.

mod cpu;
mod vectors;

use core::arch::asm;
use core::arch::x86_64::{__m128i, __m256i};
use core::ffi::c_int;

use self::cpu::Features;
use super::compare::{differ_loop, order_loop};
use super::copy::{copy_eight, copy_loop};
use super::fill::fill_loop;
use super::vector::Vector;

/// What the short lengths are handled with.
pub(super) type Block = __m128i;

/// From here on `rep movsb` is at least as fast as a loop, on a processor where it is at all.
///
/// Measured on Sapphire Rapids, as is the next: equal at 4 KiB, a third faster at 8 KiB.
const STRING_COPY: usize = 4096;
/// From here on `rep stosb` is as fast as a loop or faster.
const STRING_FILL: usize = 3072;

/// # Safety
///
/// As for `copy`, and `n` > 128.
#[inline(always)]
pub(super) unsafe fn copy_large(dst: *mut u8, src: *const u8, n: usize) {
    let features = Features::get();
    // SAFETY: the caller's promise; AVX2 is there where it is used, and `n` is more than its four
    // vectors.
    unsafe {
        if n >= STRING_COPY && features.fast_strings() && apart(dst, src, n) {
            copy_string(dst, src, n);
        } else if features.avx2() {
            copy_avx2(dst, src, n);
        } else {
            copy_loop::<Block>(dst, src, n);
        }
    }
}

/// # Safety
///
/// As for `fill`, and `n` > 128.
#[inline(always)]
pub(super) unsafe fn fill_large(dst: *mut u8, byte: u8, n: usize) {
    let features = Features::get();
    // SAFETY: the caller's promise; AVX2 is there where it is used, and `n` is more than its four
    // vectors.
    unsafe {
        if n >= STRING_FILL && features.fast_strings() {
            fill_string(dst, byte, n);
        } else if features.avx2() {
            fill_avx2(dst, byte, n);
        } else {
            fill_loop::<Block>(dst, byte, n);
        }
    }
}

/// # Safety
///
/// As for `order`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn order_large(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise; AVX2 is there where it is used, for at least its four vectors.
    unsafe {
        if n >= 128 && Features::get().avx2() {
            order_avx2(a, b, n)
        } else {
            order_loop::<Block>(a, b, n)
        }
    }
}

/// # Safety
///
/// As for `differ`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn differ_large(a: *const u8, b: *const u8, n: usize) -> bool {
    // SAFETY: the caller's promise; AVX2 is there where it is used, for at least its four vectors.
    unsafe {
        if n >= 128 && Features::get().avx2() {
            differ_avx2(a, b, n)
        } else {
            differ_loop::<Block>(a, b, n)
        }
    }
}

// The next four are functions of their own, as only within them may the compiler use AVX2. It clears
// the upper halves of the registers before it returns from them. They have C's ABI, as that says that
// they do not unwind: their callers would otherwise prepare for it.

/// # Safety
///
/// As for `copy`, `n` > 128, and the processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe extern "C" fn copy_avx2(dst: *mut u8, src: *const u8, n: usize) {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= const { 8 * <__m256i as Vector>::LEN } {
            copy_eight::<__m256i>(dst, src, n);
        } else {
            copy_loop::<__m256i>(dst, src, n);
        }
    }
}

/// # Safety
///
/// As for `fill`, `n` >= 128, and the processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe extern "C" fn fill_avx2(dst: *mut u8, byte: u8, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { fill_loop::<__m256i>(dst, byte, n) }
}

/// # Safety
///
/// As for `order`, `n` >= 128, and the processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe extern "C" fn order_avx2(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { order_loop::<__m256i>(a, b, n) }
}

/// # Safety
///
/// As for `differ`, `n` >= 128, and the processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe extern "C" fn differ_avx2(a: *const u8, b: *const u8, n: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { differ_loop::<__m256i>(a, b, n) }
}

/// Whether no byte is in both areas.
#[inline(always)]
fn apart(dst: *const u8, src: *const u8, n: usize) -> bool {
    dst.addr().abs_diff(src.addr()) >= n
}

/// # Safety
///
/// As for `copy`, and the areas must not overlap.
#[inline(always)]
unsafe fn copy_string(dst: *mut u8, src: *const u8, n: usize) {
    // SAFETY: it reads and writes what the caller allows. The ABI has the direction flag clear, so
    // that it counts upwards, and it leaves the flags alone.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") n => _,
            inout("rdi") dst => _,
            inout("rsi") src => _,
            options(nostack, preserves_flags)
        );
    }
}

/// # Safety
///
/// As for `fill`.
#[inline(always)]
unsafe fn fill_string(dst: *mut u8, byte: u8, n: usize) {
    // SAFETY: it writes what the caller allows. The ABI has the direction flag clear, so that it
    // counts upwards, and it leaves the flags alone.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") n => _,
            inout("rdi") dst => _,
            in("al") byte,
            options(nostack, preserves_flags)
        );
    }
}

//! The routines for `x86_64`: SSE2, which every such processor has, for short lengths; AVX-512,
//! AVX2 or string instructions for long ones, if the processor has them.
//!
//! A symbol reaches these by a jump: a function's last action is to call the next one with its own
//! arguments and to return its result. The functions at the end have C's ABI, which says that they
//! do not unwind; otherwise their callers would prepare for it.
//! otherwise.

mod vectors;
mod wide;

use core::arch::asm;
use core::arch::x86_64::{__m128i, __m256i};
use core::ffi::c_int;

use self::wide::{copy_wide, differ_wide, fill_wide, order_wide};
use super::compare::{differ_early, differ_loop, order_early, order_loop};
use super::copy::{copy_eight, copy_loop};
use super::fill::{fill_eight, fill_loop};
use super::vector::Vector;
use crate::cpu::Features;

/// The type for short lengths.
pub(super) type Block = __m128i;

/// On every processor, string instructions are for at least this length; below, the threshold is
/// not read.
const STRINGS: usize = 3 << 10;

/// # Safety
///
/// As for `copy`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn copy_large(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise; each function is called for the lengths it covers and with the
    // features it needs.
    unsafe {
        let features = Features::so_far();
        if features.wide() {
            copy_wide(dst, src, n)
        } else if n <= 128 {
            copy_eight::<Block>(dst, src, n);
            dst
        } else if features.avx2() {
            copy_avx2(dst, src, n)
        } else if features.are_known() {
            copy_sse2(dst, src, n)
        } else {
            copy_first(dst, src, n)
        }
    }
}

/// # Safety
///
/// As for `fill`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn fill_large(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise; each function is called for the lengths it covers and with the
    // features it needs.
    unsafe {
        let features = Features::so_far();
        if features.wide() {
            fill_wide(dst, byte, n)
        } else if n <= 128 {
            fill_eight(dst, Block::splat(byte), n);
            dst
        } else if features.avx2() {
            fill_avx2(dst, byte, n)
        } else if features.are_known() {
            fill_sse2(dst, byte, n)
        } else {
            fill_first(dst, byte, n)
        }
    }
}

/// # Safety
///
/// As for `order`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn order_large(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise; each function is called for the lengths it covers and with the
    // features it needs.
    unsafe {
        let features = Features::so_far();
        if features.wide() {
            return order_wide(a, b, n);
        }
        let early = order_early(a, b);
        if early != 0 {
            early
        } else if n >= 128 && features.avx2() {
            order_avx2(a, b, n)
        } else if n < 128 || features.are_known() {
            order_loop::<Block>(a, b, n)
        } else {
            order_first(a, b, n)
        }
    }
}

/// # Safety
///
/// As for `differ`, and `n` > 64.
#[inline(always)]
pub(super) unsafe fn differ_large(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise; each function is called for the lengths it covers and with the
    // features it needs.
    unsafe {
        let features = Features::so_far();
        if features.wide() {
            differ_wide(a, b, n)
        } else if differ_early(a, b) {
            1
        } else if n >= 128 && features.avx2() {
            differ_avx2(a, b, n)
        } else if n < 128 || features.are_known() {
            differ_loop::<Block>(a, b, n)
        } else {
            differ_first(a, b, n)
        }
    }
}

// The next four detect the features, and start again.

/// # Safety
///
/// As for `copy_large`.
#[cold]
#[inline(never)]
unsafe extern "C" fn copy_first(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    Features::ask();
    // SAFETY: the caller's promise.
    unsafe { copy_large(dst, src, n) }
}

/// # Safety
///
/// As for `fill_large`.
#[cold]
#[inline(never)]
unsafe extern "C" fn fill_first(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    Features::ask();
    // SAFETY: the caller's promise.
    unsafe { fill_large(dst, byte, n) }
}

/// # Safety
///
/// As for `order_large`.
#[cold]
#[inline(never)]
unsafe extern "C" fn order_first(a: *const u8, b: *const u8, n: usize) -> c_int {
    Features::ask();
    // SAFETY: the caller's promise.
    unsafe { order_large(a, b, n) }
}

/// # Safety
///
/// As for `differ_large`.
#[cold]
#[inline(never)]
unsafe extern "C" fn differ_first(a: *const u8, b: *const u8, n: usize) -> c_int {
    Features::ask();
    // SAFETY: the caller's promise.
    unsafe { differ_large(a, b, n) }
}

/// # Safety
///
/// As for `copy_large`.
#[inline(never)]
unsafe extern "C" fn copy_sse2(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise; `n` is more than four blocks.
    unsafe { copy_loop::<Block>(dst, src, n) };
    computed(dst)
}

/// # Safety
///
/// As for `fill_large`.
#[inline(never)]
unsafe extern "C" fn fill_sse2(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise; `n` is more than four blocks.
    unsafe { fill_loop::<Block>(dst, byte, n) };
    computed(dst)
}

// The next four are separate functions, because only within them the compiler may use AVX2. It
// clears the upper halves of the registers before it returns from them.

/// # Safety
///
/// As for `copy_large`, and the processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe extern "C" fn copy_avx2(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= const { 8 * <__m256i as Vector>::LEN } {
            copy_eight::<__m256i>(dst, src, n);
        } else if n >= STRINGS && n >= string_copy() && apart(dst, src, n) {
            copy_string(dst, src, n);
        } else {
            copy_loop::<__m256i>(dst, src, n);
        }
    }
    computed(dst)
}

/// # Safety
///
/// As for `fill_large`, and the processor must have AVX2.
#[target_feature(enable = "avx2")]
unsafe extern "C" fn fill_avx2(dst: *mut u8, byte: u8, n: usize) -> *mut u8 {
    // SAFETY: the caller's promise, and each function is called for the lengths it covers.
    unsafe {
        if n <= const { 8 * <__m256i as Vector>::LEN } {
            fill_eight(dst, <__m256i as Vector>::splat(byte), n);
        } else if n >= STRINGS && n >= string_fill() {
            fill_string(dst, byte, n);
        } else {
            fill_loop::<__m256i>(dst, byte, n);
        }
    }
    computed(dst)
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
unsafe extern "C" fn differ_avx2(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { differ_loop::<__m256i>(a, b, n) }
}

/// Returns `dst` in a way that the compiler cannot predict. Otherwise it would see that a function
/// returns its argument, and make the caller keep the argument in a register that must be saved,
/// whatever the length is.
#[inline(always)]
fn computed(dst: *mut u8) -> *mut u8 {
    #[cfg(not(miri))]
    let dst = {
        let result;
        // SAFETY: there is no instruction.
        unsafe {
            asm!("", inout("rax") dst => result, options(pure, readonly, nostack, preserves_flags));
        }
        result
    };
    dst
}

/// From this many bytes on, string instructions copy.
#[inline(always)]
fn string_copy() -> usize {
    Features::so_far().string_copy()
}

/// From this many bytes on, string instructions fill.
#[inline(always)]
fn string_fill() -> usize {
    Features::so_far().string_fill()
}

/// Returns whether the areas do not overlap.
#[inline(always)]
fn apart(dst: *const u8, src: *const u8, n: usize) -> bool {
    dst.addr().abs_diff(src.addr()) >= n
}

/// # Safety
///
/// As for `copy`, and the areas must not overlap.
#[inline(always)]
unsafe fn copy_string(dst: *mut u8, src: *const u8, n: usize) {
    // SAFETY: it reads and writes what the caller allows. In the ABI the direction flag is clear,
    // so it counts upwards, and it leaves the flags alone.
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
    // SAFETY: it writes what the caller allows. In the ABI the direction flag is clear, so it
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

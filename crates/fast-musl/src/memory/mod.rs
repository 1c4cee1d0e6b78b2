//! `memcpy`, `memmove`, `memset`, `memcmp` and `bcmp` in place of musl's.
//!
//! Every Rust program calls these five all the time, mostly for a few dozen bytes, and musl writes
//! them for small code: on `x86_64` its `memcpy` is a string instruction that takes longer to start
//! than such a copy takes, and its `memcmp` goes byte by byte. The routines here treat a short
//! length with a few loads that may overlap and hardly a branch, and a long one with a loop over
//! the widest vectors that the processor has.
//!
//! The five are always defined together. musl's `memmove` refers to a second name of its `memcpy`,
//! so that leaving one of them out would bring in the other, and with it a duplicate definition.
//!
//! libc calls them before it has set up anything. They use no thread-local storage, no table of
//! pointers (a static PIE would have to relocate it first) and no state but one atomic byte.
//!
//! Nor may they refer to core. As a crate without builtins this one takes no part in link-time
//! optimisation, which drops or hides what core defines while it does not see who still needs it. So
//! there is nothing here that could panic, not even with overflow checks and debug assertions: sums
//! wrap, and memory is accessed through references that are transmuted from pointers (see `access`).
//!
//! Only `x86_64` and `aarch64` are served: elsewhere an unaligned access may be compiled into a
//! call to `memcpy`.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as a short copy, and a function left out of line could not use AVX2"
)]

#[cfg_attr(target_arch = "x86_64", path = "x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod arch;
mod compare;
mod copy;
mod fill;
mod vector;

use core::ffi::{c_int, c_void};

note!("memory");

/// For the tests: from now on the routines of this program use the vectors that every processor has.
pub fn use_baseline() {
    #[cfg(target_arch = "x86_64")]
    crate::cpu::forget();
}

/// For the tests: from now on the routines of this program use vectors of no more than 32 bytes.
pub fn use_narrow() {
    #[cfg(target_arch = "x86_64")]
    crate::cpu::forget_wide();
}

/// Copies `n` bytes from `src` to `dst` and returns `dst`.
///
/// It is the same routine as [`memmove`]: telling the direction costs one comparison and only above
/// 128 bytes, and a caller that wrongly passes areas that overlap gets what it meant.
///
/// # Safety
///
/// `src` must be valid for reads and `dst` for writes of `n` bytes. With `n` = 0, both may be
/// anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's promise is what `copy` asks for.
    unsafe { copy::copy(dst.cast(), src.cast(), n) }.cast()
}

/// Copies `n` bytes from `src` to `dst`, which may overlap, and returns `dst`.
///
/// Up to 128 bytes are loaded completely before the first is stored. Above, a loop runs in the
/// direction in which it does not overwrite what it has yet to read.
///
/// # Safety
///
/// `src` must be valid for reads and `dst` for writes of `n` bytes. With `n` = 0, both may be
/// anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's promise is what `copy` asks for.
    unsafe { copy::copy(dst.cast(), src.cast(), n) }.cast()
}

/// Sets `n` bytes at `dst` to the low eight bits of `byte` and returns `dst`.
///
/// # Safety
///
/// `dst` must be valid for writes of `n` bytes. With `n` = 0, it may be anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(dst: *mut c_void, byte: c_int, n: usize) -> *mut c_void {
    // C converts the value to `unsigned char`, which is the lowest byte in memory order here.
    let [byte, ..] = byte.to_le_bytes();
    // SAFETY: the caller's promise is what `fill` asks for.
    unsafe { fill::fill(dst.cast(), byte, n) }.cast()
}

/// Compares `n` bytes as unsigned numbers: less than, equal to or greater than zero as the first
/// byte that differs is smaller in `a`, absent, or greater in `a`.
///
/// # Safety
///
/// `a` and `b` must be valid for reads of `n` initialised bytes, also of those behind the first
/// difference. With `n` = 0, both may be anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    // SAFETY: the caller's promise is what `order` asks for.
    unsafe { compare::order(a.cast(), b.cast(), n) }
}

/// Zero when `n` bytes at `a` and `b` are equal, otherwise another number.
///
/// LLVM calls it instead of [`memcmp`] where only equality matters, as for `==` between slices. Not
/// having to find where the areas differ saves a few instructions.
///
/// # Safety
///
/// `a` and `b` must be valid for reads of `n` initialised bytes. With `n` = 0, both may be
/// anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    // SAFETY: the caller's promise is what `differ` asks for.
    unsafe { compare::differ(a.cast(), b.cast(), n) }
}

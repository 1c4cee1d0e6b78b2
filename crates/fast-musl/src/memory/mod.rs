//! `memcpy`, `memmove`, `memset`, `memcmp` and `bcmp` instead of musl's.
//!
//! Every Rust program calls these five constantly, mostly for a few dozen bytes, and musl optimises
//! them for code size: on `x86_64` its `memcpy` is a string instruction that takes longer to start
//! than such a copy takes, and its `memcmp` compares byte by byte. The routines here handle a short
//! length with a few loads that may overlap and few branches, and a long one with a loop over the
//! widest vectors that the processor has.
//!
//! The five are always defined together. musl's `memmove` refers to a second name of its `memcpy`,
//! so leaving out one of them would link musl's and with it a duplicate definition.
//!
//! libc calls them before it has set up anything. They use no thread-local storage, no table of
//! pointers (a static PIE would have to relocate it first) and no state except one atomic byte.
//!
//! They must not refer to core either. A crate without builtins takes no part in link-time
//! optimisation, which removes or hides core's functions without seeing this crate's need for them.
//! So nothing here can panic, not even with overflow checks and debug assertions: sums wrap, and
//! memory is accessed through references that are transmuted from pointers (see `access`).
//!
//! Only `x86_64` and `aarch64` are supported: elsewhere an unaligned access may be compiled into a
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

/// For the tests: from now on this program's routines use the baseline vectors.
pub fn use_baseline() {
    #[cfg(target_arch = "x86_64")]
    crate::cpu::forget();
}

/// For the tests: from now on this program's routines use vectors of at most 32 bytes.
pub fn use_narrow() {
    #[cfg(target_arch = "x86_64")]
    crate::cpu::forget_wide();
}

/// Copies `n` bytes from `src` to `dst` and returns `dst`.
///
/// It is the same routine as [`memmove`]: finding the direction costs one comparison, and only
/// above 128 bytes, and a caller that wrongly passes overlapping areas gets the intended result.
///
/// # Safety
///
/// `src` must be valid for reads and `dst` for writes of `n` bytes. With `n` = 0, both may be any
/// pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's promise is what `copy` asks for.
    unsafe { copy::copy(dst.cast(), src.cast(), n) }.cast()
}

/// Copies `n` bytes from `src` to `dst`, which may overlap, and returns `dst`.
///
/// Up to 128 bytes are loaded completely before the first is stored. Above that, a loop runs in the
/// direction in which it does not overwrite bytes that it has yet to read.
///
/// # Safety
///
/// `src` must be valid for reads and `dst` for writes of `n` bytes. With `n` = 0, both may be any
/// pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's promise is what `copy` asks for.
    unsafe { copy::copy(dst.cast(), src.cast(), n) }.cast()
}

/// Sets `n` bytes at `dst` to the low eight bits of `byte` and returns `dst`.
///
/// # Safety
///
/// `dst` must be valid for writes of `n` bytes. With `n` = 0, it may be any pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(dst: *mut c_void, byte: c_int, n: usize) -> *mut c_void {
    // C converts the value to `unsigned char`, which is the lowest byte in memory order here.
    let [byte, ..] = byte.to_le_bytes();
    // SAFETY: the caller's promise is what `fill` asks for.
    unsafe { fill::fill(dst.cast(), byte, n) }.cast()
}

/// Compares `n` bytes as unsigned numbers: less than, equal to or greater than zero if the first
/// differing byte is smaller in `a`, absent, or greater in `a`.
///
/// # Safety
///
/// `a` and `b` must be valid for reads of `n` initialised bytes, including those after the first
/// difference. With `n` = 0, both may be any pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    // SAFETY: the caller's promise is what `order` asks for.
    unsafe { compare::order(a.cast(), b.cast(), n) }
}

/// Returns zero if `n` bytes at `a` and `b` are equal, otherwise another number.
///
/// LLVM calls it instead of [`memcmp`] if only equality matters, as for `==` between slices. It
/// saves the few instructions that find the first difference.
///
/// # Safety
///
/// `a` and `b` must be valid for reads of `n` initialised bytes. With `n` = 0, both may be any
/// pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    // SAFETY: the caller's promise is what `differ` asks for.
    unsafe { compare::differ(a.cast(), b.cast(), n) }
}

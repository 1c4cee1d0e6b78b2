//! `strlen`, `strcmp`, `strcpy`, `strstr` and similar routines instead of musl's.
//!
//! musl processes a string by bytes or words. The routines here use vectors: an unaligned one at
//! the start of the string, because most strings end there; then four at a time, which are aligned
//! after the first four.
//! What `memory` says about thread-local storage, tables of pointers and core applies here too.
//!
//! # Bytes beyond the end
//!
//! The end of a string is not known before its bytes are read, so vectors reach beyond it. They
//! never reach a page that the string does not touch: an aligned vector, and four of them at a
//! multiple of four, lie in one page, and before an unaligned load the offset within the page is
//! checked. The processor allows such reads; the compiler does not know where an area ends, because
//! this crate takes no part in link-time optimisation.
//!
//! # Names
//!
//! musl calls its own `memrchr`, `strchrnul`, `stpcpy`, `stpncpy`, `strcasecmp_l` and
//! `strncasecmp_l` by hidden names with two leading underscores; the public names are weak aliases
//! in the same objects of libc.a. Both names of each are defined here, so musl's `getenv`,
//! `strcat`, `strtok` and others use the fast routines, and those objects are not linked.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as a short string, and a function left out of line could not use AVX2"
)]

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod arch;
mod bits;
mod bytes;
mod compare;
mod copy;
mod copy_within;
mod find;
mod find_last;
#[cfg(target_arch = "x86_64")]
mod nibbles;
mod search;
mod span;
mod two_way;

use core::ffi::{c_char, c_int, c_void};

use self::arch::widest;

note!("strings");

/// C's `locale_t`.
pub type Locale = *mut c_void;

/// For the tests: from now on this program's routines use the baseline vectors.
pub fn use_baseline() {
    #[cfg(target_arch = "x86_64")]
    crate::cpu::forget();
}

/// The number of bytes before the first zero.
///
/// # Safety
///
/// `s` must point to a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(s: *const c_char) -> usize {
    let s = s.cast();
    widest!(find::end(s: *const u8) -> usize)
}

/// The number of bytes before the first zero, but at most `n`.
///
/// # Safety
///
/// `s` must be valid for reads up to the first zero or of `n` bytes, whichever is less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strnlen(s: *const c_char, n: usize) -> usize {
    let s = s.cast();
    widest!(find::end_within(s: *const u8, n: usize) -> usize)
}

/// The first of `n` bytes that equals the low eight bits of `byte`, or null.
///
/// # Safety
///
/// `s` must be valid for reads up to that byte or of `n` bytes, whichever is less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memchr(s: *const c_void, byte: c_int, n: usize) -> *mut c_void {
    let s = s.cast();
    widest!(find::byte_within(s: *const u8, byte: c_int, n: usize) -> *const u8)
        .cast_mut()
        .cast()
}

/// The last of `n` bytes that equals the low eight bits of `byte`, or null.
///
/// # Safety
///
/// `s` must be valid for reads of `n` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memrchr(s: *const c_void, byte: c_int, n: usize) -> *mut c_void {
    let s = s.cast();
    widest!(find_last::last_byte(s: *const u8, byte: c_int, n: usize) -> *const u8)
        .cast_mut()
        .cast()
}

/// [`memrchr`], as musl itself calls it.
///
/// # Safety
///
/// As for [`memrchr`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __memrchr(s: *const c_void, byte: c_int, n: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { memrchr(s, byte, n) }
}

/// The first byte of a string, its zero included, that equals the low eight bits of `byte`, or
/// null.
///
/// # Safety
///
/// `s` must point to a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strchr(s: *const c_char, byte: c_int) -> *mut c_char {
    let s = s.cast();
    widest!(find::byte(s: *const u8, byte: c_int) -> *const u8)
        .cast_mut()
        .cast()
}

/// The first byte of a string that equals the low eight bits of `byte`, or the string's zero.
///
/// # Safety
///
/// `s` must point to a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strchrnul(s: *const c_char, byte: c_int) -> *mut c_char {
    let s = s.cast();
    widest!(find::byte_or_end(s: *const u8, byte: c_int) -> *const u8)
        .cast_mut()
        .cast()
}

/// [`strchrnul`], as musl itself calls it.
///
/// # Safety
///
/// As for [`strchrnul`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __strchrnul(s: *const c_char, byte: c_int) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { strchrnul(s, byte) }
}

/// The last byte of a string, its zero included, that equals the low eight bits of `byte`, or null.
///
/// # Safety
///
/// `s` must point to a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strrchr(s: *const c_char, byte: c_int) -> *mut c_char {
    let s = s.cast();
    widest!(find_last::last_of_string(s: *const u8, byte: c_int) -> *const u8)
        .cast_mut()
        .cast()
}

/// The number of bytes of `s` before the first that is not in `set`, or before its end.
///
/// # Safety
///
/// `s` and `set` must point to strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strspn(s: *const c_char, set: *const c_char) -> usize {
    let (s, set) = (s.cast(), set.cast());
    widest!(span::within(s: *const u8, set: *const u8) -> usize)
}

/// The number of bytes of `s` before the first that is in `set`, or before its end.
///
/// # Safety
///
/// `s` and `set` must point to strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcspn(s: *const c_char, set: *const c_char) -> usize {
    let (s, set) = (s.cast(), set.cast());
    widest!(span::outside(s: *const u8, set: *const u8) -> usize)
}

/// The first byte of `s` that is in `set`, or null.
///
/// # Safety
///
/// `s` and `set` must point to strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strpbrk(s: *const c_char, set: *const c_char) -> *mut c_char {
    let (s, set) = (s.cast(), set.cast());
    widest!(span::first_of(s: *const u8, set: *const u8) -> *const u8)
        .cast_mut()
        .cast()
}

/// Compares two strings by bytes as unsigned numbers: less than, equal to or greater than zero if
/// the first differing byte is smaller in `a`, absent, or greater in `a`.
///
/// # Safety
///
/// `a` and `b` must point to strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcmp(a: *const c_char, b: *const c_char) -> c_int {
    let (a, b) = (a.cast(), b.cast());
    widest!(compare::order(a: *const u8, b: *const u8) -> c_int)
}

/// Like [`strcmp`], but compares at most `n` bytes.
///
/// # Safety
///
/// `a` and `b` must be valid for reads up to the first byte that is zero or differs, or of `n`
/// bytes, whichever is less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncmp(a: *const c_char, b: *const c_char, n: usize) -> c_int {
    let (a, b) = (a.cast(), b.cast());
    widest!(compare::order_within(a: *const u8, b: *const u8, n: usize) -> c_int)
}

/// Like [`strcmp`], but ASCII letters count as lower case.
///
/// # Safety
///
/// As for [`strcmp`], where "differs" ignores case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcasecmp(a: *const c_char, b: *const c_char) -> c_int {
    let (a, b) = (a.cast(), b.cast());
    widest!(compare::order_folded(a: *const u8, b: *const u8) -> c_int)
}

/// [`strcasecmp`]: all locales of musl have the same letters among bytes.
///
/// # Safety
///
/// As for [`strcasecmp`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcasecmp_l(a: *const c_char, b: *const c_char, _: Locale) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strcasecmp(a, b) }
}

/// [`strcasecmp_l`], as musl itself calls it.
///
/// # Safety
///
/// As for [`strcasecmp`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __strcasecmp_l(a: *const c_char, b: *const c_char, _: Locale) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strcasecmp(a, b) }
}

/// Like [`strcasecmp`], but compares at most `n` bytes.
///
/// # Safety
///
/// As for [`strncmp`], with "differs" as for [`strcasecmp`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncasecmp(a: *const c_char, b: *const c_char, n: usize) -> c_int {
    let (a, b) = (a.cast(), b.cast());
    widest!(compare::order_folded_within(a: *const u8, b: *const u8, n: usize) -> c_int)
}

/// [`strncasecmp`]: all locales of musl have the same letters among bytes.
///
/// # Safety
///
/// As for [`strncasecmp`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncasecmp_l(
    a: *const c_char,
    b: *const c_char,
    n: usize,
    _: Locale,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strncasecmp(a, b, n) }
}

/// [`strncasecmp_l`], as musl itself calls it.
///
/// # Safety
///
/// As for [`strncasecmp`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __strncasecmp_l(
    a: *const c_char,
    b: *const c_char,
    n: usize,
    _: Locale,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strncasecmp(a, b, n) }
}

/// Copies the string `s` with its zero to `dst`, and returns `dst`.
///
/// # Safety
///
/// `s` must point to a string, `dst` must be valid for writes of as many bytes, and they must not
/// overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcpy(dst: *mut c_char, s: *const c_char) -> *mut c_char {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy::copy_to(dst: *mut u8, s: *const u8) -> *mut u8).cast()
}

/// Copies the string `s` with its zero to `dst`, and returns the address of the copied zero.
///
/// # Safety
///
/// As for [`strcpy`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stpcpy(dst: *mut c_char, s: *const c_char) -> *mut c_char {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy::copy(dst: *mut u8, s: *const u8) -> *mut u8).cast()
}

/// [`stpcpy`], as musl itself calls it.
///
/// # Safety
///
/// As for [`strcpy`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __stpcpy(dst: *mut c_char, s: *const c_char) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { stpcpy(dst, s) }
}

/// Copies at most `n` bytes of the string `s` to `dst`, fills the rest of `n` bytes with zeros, and
/// returns the address of the first of these zeros, or the end.
///
/// # Safety
///
/// `s` must be valid for reads up to the first zero or of `n` bytes, whichever is less, `dst` must
/// be valid for writes of `n` bytes, and they must not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stpncpy(dst: *mut c_char, s: *const c_char, n: usize) -> *mut c_char {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy_within::padded(dst: *mut u8, s: *const u8, n: usize) -> *mut u8).cast()
}

/// [`stpncpy`], as musl itself calls it.
///
/// # Safety
///
/// As for [`stpncpy`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __stpncpy(dst: *mut c_char, s: *const c_char, n: usize) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { stpncpy(dst, s, n) }
}

/// Like [`stpncpy`], but returns `dst`.
///
/// # Safety
///
/// As for [`stpncpy`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncpy(dst: *mut c_char, s: *const c_char, n: usize) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { stpncpy(dst, s, n) };
    dst
}

/// Appends at most `n` bytes of the string `s`, and a zero, to the string `dst`, and returns `dst`.
///
/// # Safety
///
/// `dst` must point to a string and be valid for writes of all appended bytes, `s` must be valid
/// for reads up to the first zero or of `n` bytes, whichever is less, and they must not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncat(dst: *mut c_char, s: *const c_char, n: usize) -> *mut c_char {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy_within::append(dst: *mut u8, s: *const u8, n: usize) -> *mut u8).cast()
}

weak_symbol!("strlcpy", "__fast_musl_strlcpy");
weak_symbol!("strlcat", "__fast_musl_strlcat");

/// Copies as much of the string `s` to `dst` as fits into `n` bytes with a zero after it, and
/// returns the length of `s`.
///
/// # Safety
///
/// `s` must point to a string, `dst` must be valid for writes of `n` bytes, and they must not
/// overlap.
#[unsafe(export_name = "__fast_musl_strlcpy")]
pub unsafe extern "C" fn strlcpy(dst: *mut c_char, s: *const c_char, n: usize) -> usize {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy_within::cut(dst: *mut u8, s: *const u8, n: usize) -> usize)
}

/// Appends as much of the string `s` to the string `dst` as fits into `n` bytes with a zero after
/// both, and returns the length of both. If `dst` has no zero among the `n` bytes, it is not
/// changed and counts as `n`.
///
/// # Safety
///
/// As for [`strlcpy`], and `dst` must be valid for reads as well.
#[unsafe(export_name = "__fast_musl_strlcat")]
pub unsafe extern "C" fn strlcat(dst: *mut c_char, s: *const c_char, n: usize) -> usize {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy_within::append_cut(dst: *mut u8, s: *const u8, n: usize) -> usize)
}

/// Copies `n` bytes to `dst`, or those up to the first that equals the low eight bits of `byte`.
/// Returns the end of the copy if it ends with that byte, otherwise null.
///
/// # Safety
///
/// `s` must be valid for reads up to that byte or of `n` bytes, whichever is less, `dst` for writes
/// of the same number, and they must not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memccpy(
    dst: *mut c_void,
    s: *const c_void,
    byte: c_int,
    n: usize,
) -> *mut c_void {
    let (dst, s) = (dst.cast(), s.cast());
    widest!(copy_within::through(dst: *mut u8, s: *const u8, byte: c_int, n: usize) -> *mut u8)
        .cast()
}

/// Returns the first occurrence of the `k` bytes at `needle` in the `n` bytes at `s`, or null. An
/// empty needle occurs at the start.
///
/// The time is linear in `n` for any bytes.
///
/// # Safety
///
/// `s` must be valid for reads of `n` bytes and `needle` of `k`. If a length is 0, its pointer may
/// be any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmem(
    s: *const c_void,
    n: usize,
    needle: *const c_void,
    k: usize,
) -> *mut c_void {
    let (s, needle) = (s.cast(), needle.cast());
    widest!(search::area(s: *const u8, n: usize, needle: *const u8, k: usize) -> *const u8)
        .cast_mut()
        .cast()
}

/// Returns the first occurrence of the string `needle`, without its zero, in the string `s`, or
/// null. An empty needle occurs at the start.
///
/// The time is linear in the length of both, for any bytes.
///
/// # Safety
///
/// Both must point to strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strstr(s: *const c_char, needle: *const c_char) -> *mut c_char {
    let (s, needle) = (s.cast(), needle.cast());
    widest!(search::string(s: *const u8, needle: *const u8) -> *const u8)
        .cast_mut()
        .cast()
}

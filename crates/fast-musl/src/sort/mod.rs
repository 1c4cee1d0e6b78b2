//! `qsort` and `qsort_r` in place of musl's.
//!
//! musl sorts by smoothsort, which needs no memory and never takes long, but compares and moves more
//! than twice as often as other ways. Here it is quicksort, in the form that Rust's `sort_unstable`
//! has: each comparison decides by arithmetic and not by a branch, of which a processor would predict
//! every other wrongly. Elements that are equal to a pivot take part no more, and where the pivots are
//! bad again and again, heapsort takes over, so that the time is n log n for any input. What is in
//! order or reversed but for a few elements is looked through once.
//!
//! Elements are exchanged within the array and there is no other place for them: whatever function
//! compares them finds all of them, and if it leaves by `longjmp`, all are still there. Of the stack
//! it takes a frame for each halving. What the function answers decides the order and nothing else.
//!
//! # Names
//!
//! musl's own callers and its `qsort` call `__qsort_r`, for which `qsort_r` is a weak alias. All three
//! names are defined here.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as a short element's move"
)]
#![allow(
    improper_ctypes_definitions,
    reason = "functions out of line have C's ABI as that says that they do not unwind, which would refer to core"
)]

mod elements;
mod heap;
mod quick;
mod runs;
mod small;

use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr::null_mut;

use self::elements::{Fixed, Order, Parts};

note!("sort");

/// Compares two elements, with an argument of the caller's.
type Compare = unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void) -> c_int;
/// Compares two elements.
type ComparePlain = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;

/// Sorts `n` elements of `size` bytes by a function that says whether the first of two comes before
/// (less than zero), with or behind the second.
///
/// # Safety
///
/// `base` must be valid for reads and writes of the elements, and the function may be called with any
/// two of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qsort(base: *mut c_void, n: usize, size: usize, compare: ComparePlain) {
    // SAFETY: in C's calling convention, on the architectures that are served, a function is not
    // aware of a register with one more argument. glibc calls it in the same way.
    let compare = unsafe { transmute::<ComparePlain, Compare>(compare) };
    // SAFETY: the caller's promise.
    unsafe { __qsort_r(base, n, size, compare, null_mut()) }
}

// musl's is weak as well: BSD's function of the same name has its arguments in another order.
weak_symbol!("qsort_r", "__qsort_r");

/// `qsort_r`: [`qsort`] with an argument that the function gets. musl itself calls it by this name.
///
/// # Safety
///
/// As for [`qsort`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __qsort_r(
    base: *mut c_void,
    n: usize,
    size: usize,
    compare: Compare,
    argument: *mut c_void,
) {
    let base = base.cast();
    let order = Order { compare, argument };
    // SAFETY: the caller's promise.
    unsafe {
        match size {
            0 => {}
            4 => quick::sort(order.of(Fixed::<u32>::NEW), base, n),
            8 => quick::sort(order.of(Fixed::<u64>::NEW), base, n),
            16 => quick::sort(order.of(Fixed::<u128>::NEW), base, n),
            _ => quick::sort(order.of(Parts(size)), base, n),
        }
    }
}

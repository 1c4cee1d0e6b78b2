//! `qsort` and `qsort_r` instead of musl's.
//!
//! musl sorts by smoothsort, which needs no memory and never takes long, but compares and moves
//! more than twice as often as other algorithms. This is quicksort in the form of Rust's
//! `sort_unstable`: the result of each comparison is used in arithmetic, not in a branch, of which
//! a processor would mispredict every other one. Elements equal to a pivot are not sorted again,
//! and after too many bad pivots heapsort takes over, so the time is n log n for any input. Input
//! that is sorted or reversed except for a few elements is passed over once.
//!
//! Elements are swapped within the array and are never stored anywhere else: the comparison
//! function always finds all of them, and if it leaves by `longjmp`, all are still there. The stack
//! holds one frame per halving. The function's results decide the order and nothing else.
//!
//! # Names
//!
//! musl's own callers and its `qsort` call `__qsort_r`, for which `qsort_r` is a weak alias. All
//! three names are defined here.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#![allow(
    clippy::inline_always,
    reason = "a call costs as much as moving a short element"
)]
#![allow(
    improper_ctypes_definitions,
    reason = "functions out of line have C's ABI because it says that they do not unwind; otherwise they would refer to core"
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

/// Compares two elements, with an argument from the caller.
type Compare = unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void) -> c_int;
/// Compares two elements.
type ComparePlain = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;

/// Sorts `n` elements of `size` bytes with a function that returns whether the first of two comes
/// before (less than zero), with or after the second.
///
/// # Safety
///
/// `base` must be valid for reads and writes of the elements, and the function may be called with
/// any two of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qsort(base: *mut c_void, n: usize, size: usize, compare: ComparePlain) {
    // SAFETY: in C's calling convention on the supported architectures, a function does not notice
    // one more argument in a register. glibc calls it in the same way.
    let compare = unsafe { transmute::<ComparePlain, Compare>(compare) };
    // SAFETY: the caller's promise.
    unsafe { __qsort_r(base, n, size, compare, null_mut()) }
}

// musl's is weak too: BSD's function with this name has its arguments in another order.
weak_symbol!("qsort_r", "__qsort_r");

/// `qsort_r`: [`qsort`] with an argument for the function. musl itself calls it by this name.
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

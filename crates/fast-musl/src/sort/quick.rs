//! Quicksort.

use core::ptr::null;

use super::elements::{Elements, Size};
use super::{heap, runs, small};

/// Up to this many elements are sorted by insertion, which compares less often than quicksort but
/// whose loop branches are predicted less well.
const SMALL: usize = 8;
/// From this many elements on, the pivot is the median of more than three. An eighth of them must
/// be at least three.
const LARGE: usize = 64;

/// Sorts elements.
///
/// # Safety
///
/// There must be `n` elements from `base` on; likewise below.
pub(super) unsafe extern "C" fn sort<S: Size>(elements: Elements<S>, base: *mut u8, n: usize) {
    if n < 2 {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if runs::sort(elements, base, n) {
            return;
        }
        let halvings = usize::BITS.wrapping_sub(1).wrapping_sub(n.leading_zeros());
        sort_part(elements, base, n, null(), halvings.wrapping_mul(2));
    }
}

/// Sorts elements that do not come before an earlier pivot, which is null if there is none. After
/// `limit` pivots, heapsort takes over.
///
/// # Safety
///
/// See above.
unsafe extern "C" fn sort_part<S: Size>(
    elements: Elements<S>,
    mut base: *mut u8,
    mut n: usize,
    mut before: *const u8,
    mut limit: u32,
) {
    // SAFETY: all parts consist of the elements, and the pivots are elements.
    unsafe {
        while n > SMALL {
            if limit == 0 {
                heap::sort(elements.of_any_size(), base, n);
                return;
            }
            limit = limit.wrapping_sub(1);
            elements.swap(base, pivot(elements, base, n));
            if !before.is_null() && !elements.less(before, base) {
                // The pivot equals the earlier one. So do all elements that do not come after it.
                let equal = partition::<_, true>(elements, base, n);
                base = elements.at(base, equal.wrapping_add(1));
                n = n.wrapping_sub(equal).wrapping_sub(1);
                before = null();
                continue;
            }
            let less = partition::<_, false>(elements, base, n);
            let middle = elements.at(base, less);
            let behind = elements.at(middle, 1);
            let more = n.wrapping_sub(less).wrapping_sub(1);
            // The larger part needs no frame of its own.
            if less < more {
                sort_part(elements, base, less, before, limit);
                (base, n, before) = (behind, more, middle);
            } else {
                sort_part(elements, behind, more, middle, limit);
                n = less;
            }
        }
        small::sort(elements, base, n);
    }
}

/// Moves the elements that come before the first one to the front, with `EQUAL` also those that
/// equal it, and the first one after them. Returns how many are in front of it.
///
/// # Safety
///
/// See above; `n` must not be 0.
#[inline(always)]
unsafe fn partition<S: Size, const EQUAL: bool>(
    elements: Elements<S>,
    base: *mut u8,
    n: usize,
) -> usize {
    let end = elements.at(base, n);
    let (mut front, mut at) = (0_usize, elements.at(base, 1));
    while at != end {
        // All elements from here to `at` do not belong to the front.
        let other = elements.at(base, front.wrapping_add(1));
        // SAFETY: all are elements.
        unsafe {
            let belongs = if EQUAL {
                !elements.less(base, at)
            } else {
                elements.less(at, base)
            };
            front = front.wrapping_add(usize::from(belongs));
            elements.swap(other, at);
        }
        at = elements.at(at, 1);
    }
    // SAFETY: both are elements.
    unsafe { elements.swap(base, elements.at(base, front)) };
    front
}

/// Returns an element with about as many elements before as after it: the median of three, or for
/// many elements the median of medians of three.
///
/// # Safety
///
/// See above; `n` must be 8 or more.
unsafe extern "C" fn pivot<S: Size>(elements: Elements<S>, base: *mut u8, n: usize) -> *mut u8 {
    let eighth = n >> 3;
    let mut a = elements.at(base, eighth);
    let mut b = elements.at(base, eighth.wrapping_mul(4));
    let mut c = elements.at(base, eighth.wrapping_mul(6));
    // SAFETY: at least an eighth of the elements follows each of the three.
    unsafe {
        if n >= LARGE {
            a = pivot(elements, a, eighth);
            b = pivot(elements, b, eighth);
            c = pivot(elements, c, eighth);
        }
        median(elements, a, b, c)
    }
}

/// # Safety
///
/// All must be elements.
#[inline(always)]
unsafe fn median<S: Size>(elements: Elements<S>, a: *mut u8, b: *mut u8, c: *mut u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        let before_b = elements.less(a, b);
        if before_b != elements.less(a, c) {
            // `a` is between the other two.
            a
        } else if before_b == elements.less(b, c) {
            b
        } else {
            c
        }
    }
}

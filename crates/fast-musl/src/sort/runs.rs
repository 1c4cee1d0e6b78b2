//! Elements that are in order already, except for a few.

use core::ffi::c_int;

use super::elements::{Elements, Size};
use super::small;

/// Elements in random order hardly ever begin with a run of this length.
const LONG: usize = 12;
/// The budget per element that was looked at: comparisons, and moves, of which each 64 bytes count
/// as one comparison. If it is exceeded, the attempt is given up.
const CREDIT: usize = 8;

/// Sorts elements that are in order or in reverse order, except for a few. Returns whether they are
/// sorted.
///
/// # Safety
///
/// There must be `n` > 0 elements from `base` on.
pub(super) unsafe extern "C" fn sort<S: Size>(
    elements: Elements<S>,
    base: *mut u8,
    n: usize,
) -> bool {
    // SAFETY: the caller's promise.
    let (mut sorted, direction) = unsafe { first_run(elements, base, n) };
    if sorted < LONG && sorted < n.wrapping_sub(n >> 1) {
        return false;
    }
    if direction > 0 {
        // SAFETY: there are this many.
        unsafe { reverse(elements, base, sorted) };
    }
    let per_move = (elements.size.bytes() >> 6).wrapping_add(1);
    let mut credit = sorted.wrapping_mul(CREDIT);
    while sorted < n {
        // SAFETY: the next is an element, and so are all before it.
        unsafe {
            let next = elements.at(base, sorted);
            let place = place_of(elements, base, sorted);
            let distance = sorted.wrapping_sub(place);
            if distance > 0 {
                let cost = distance.wrapping_mul(per_move).wrapping_add(2);
                if cost > credit {
                    return false;
                }
                credit = credit.wrapping_sub(cost);
                elements.bring(next, elements.at(base, place));
            }
        }
        sorted = sorted.wrapping_add(1);
        credit = credit.wrapping_add(CREDIT);
    }
    true
}

/// Returns how many of the first elements are in one order; less than zero if it is the requested
/// order, more than zero if it is the reverse.
///
/// # Safety
///
/// See above.
#[inline(always)]
unsafe fn first_run<S: Size>(elements: Elements<S>, base: *mut u8, n: usize) -> (usize, c_int) {
    let mut direction: c_int = 0;
    let (mut length, mut last) = (1_usize, base);
    while length < n {
        let next = elements.at(last, 1);
        // SAFETY: there is a next one.
        let order = unsafe { elements.compare(last, next) };
        if order != 0 {
            if direction == 0 {
                direction = order;
            } else if (direction ^ order) < 0 {
                break;
            }
        }
        last = next;
        length = length.wrapping_add(1);
    }
    (length, direction)
}

/// # Safety
///
/// See above.
#[inline(always)]
unsafe fn reverse<S: Size>(elements: Elements<S>, base: *mut u8, n: usize) {
    let (mut first, mut last) = (base, elements.at(base, n.wrapping_sub(1)));
    while first < last {
        // SAFETY: both are elements.
        unsafe { elements.swap(first, last) };
        first = elements.at(first, 1);
        last = last.wrapping_sub(elements.size.bytes());
    }
}

/// Returns where the element after `sorted` ones belongs among them. It searches from the end, in
/// steps that double.
///
/// # Safety
///
/// There must be `sorted` > 0 elements and another from `base` on.
#[inline(always)]
unsafe fn place_of<S: Size>(elements: Elements<S>, base: *mut u8, sorted: usize) -> usize {
    let next = elements.at(base, sorted);
    // It belongs before the element at `end`, if there is one, and not before the one at `end -
    // step`.
    let (mut end, mut step) = (sorted, 1);
    let start = loop {
        if step > end {
            break 0;
        }
        let probe = end.wrapping_sub(step);
        // SAFETY: both are elements.
        if !unsafe { elements.less(next, elements.at(base, probe)) } {
            break probe.wrapping_add(1);
        }
        end = probe;
        step = step.wrapping_mul(2);
    };
    let between = end.wrapping_sub(start);
    // SAFETY: `start` is at most `end`, and that at most `sorted`.
    let place = unsafe { small::place_of(elements, next, elements.at(base, start), between) };
    start.wrapping_add(place)
}

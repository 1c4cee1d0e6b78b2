//! Sorting few elements.

use super::elements::{Elements, Size};

/// Sorts by binary insertion, which compares hardly more often than any other algorithm.
///
/// # Safety
///
/// There must be `n` elements from `base` on.
pub(super) unsafe extern "C" fn sort<S: Size>(elements: Elements<S>, base: *mut u8, n: usize) {
    let mut sorted = 1;
    while sorted < n {
        // SAFETY: the next is an element, and the place is at most its own.
        unsafe {
            let next = elements.at(base, sorted);
            let place = place_of(elements, next, base, sorted);
            elements.bring(next, elements.at(base, place));
        }
        sorted = sorted.wrapping_add(1);
    }
}

/// Returns how many of `n` sorted elements do not come after another one.
///
/// # Safety
///
/// There must be `n` elements from `base` on, and the other must be one.
#[inline(always)]
pub(super) unsafe fn place_of<S: Size>(
    elements: Elements<S>,
    other: *mut u8,
    base: *mut u8,
    n: usize,
) -> usize {
    let (mut place, mut left) = (0_usize, n);
    while left > 0 {
        let half = left >> 1;
        let middle = place.wrapping_add(half);
        // SAFETY: both are elements: `place + left` is at most `n`.
        let less = unsafe { elements.less(other, elements.at(base, middle)) };
        place = if less { place } else { middle.wrapping_add(1) };
        left = if less {
            half
        } else {
            left.wrapping_sub(half).wrapping_sub(1)
        };
    }
    place
}

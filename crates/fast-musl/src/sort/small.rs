//! Few elements.

use super::elements::{Elements, Size};

/// Sorts by binary insertion, which compares hardly more often than any other way.
///
/// # Safety
///
/// There must be `n` elements from `base` on.
pub(super) unsafe extern "C" fn sort<S: Size>(elements: Elements<S>, base: *mut u8, n: usize) {
    let mut sorted = 1;
    while sorted < n {
        let next = elements.at(base, sorted);
        // How many of the sorted ones do not come behind the next.
        let (mut place, mut left) = (0_usize, sorted);
        while left > 0 {
            let half = left >> 1;
            let middle = place.wrapping_add(half);
            // SAFETY: both are elements: `place + left` is at most `sorted`.
            let less = unsafe { elements.less(next, elements.at(base, middle)) };
            place = if less { place } else { middle.wrapping_add(1) };
            left = if less {
                half
            } else {
                left.wrapping_sub(half).wrapping_sub(1)
            };
        }
        // SAFETY: both are elements, and the place is at most the next's.
        unsafe { elements.bring(next, elements.at(base, place)) };
        sorted = sorted.wrapping_add(1);
    }
}

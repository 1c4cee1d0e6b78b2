//! Sorting in n log n steps, for any comparison function.

use super::elements::{Elements, Parts};

/// Sorts by heapsort. It is rarely needed, so one version serves all sizes.
///
/// # Safety
///
/// There must be `n` elements from `base` on.
#[cold]
pub(super) unsafe extern "C" fn sort(elements: Elements<Parts>, base: *mut u8, n: usize) {
    let mut roots = n >> 1;
    while roots > 0 {
        roots = roots.wrapping_sub(1);
        // SAFETY: the root is one of the elements.
        unsafe { sift(elements, base, roots, n) };
    }
    let mut heap = n;
    while heap > 1 {
        heap = heap.wrapping_sub(1);
        // SAFETY: both are elements, and this many are left.
        unsafe {
            elements.swap(base, elements.at(base, heap));
            sift(elements, base, 0, heap);
        }
    }
}

/// Swaps an element with the last of its children until no child comes after it.
///
/// # Safety
///
/// There must be `n` elements from `base` on, and the root must be one of them.
unsafe extern "C" fn sift(elements: Elements<Parts>, base: *mut u8, mut root: usize, n: usize) {
    loop {
        let mut child = root.wrapping_mul(2).wrapping_add(1);
        if child >= n {
            return;
        }
        let other = child.wrapping_add(1);
        // SAFETY: all indices used are below `n`.
        unsafe {
            if other < n && elements.less(elements.at(base, child), elements.at(base, other)) {
                child = other;
            }
            let (upper, lower) = (elements.at(base, root), elements.at(base, child));
            if !elements.less(upper, lower) {
                return;
            }
            elements.swap(upper, lower);
        }
        root = child;
    }
}

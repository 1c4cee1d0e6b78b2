//! The two-way algorithm (Crochemore and Perrin, "Two-way string-matching", Journal of the ACM
//! 38(3), 1991): linear time, and no memory except a few numbers.
//!
//! The needle is cut in two at a place where the local period equals the period of the whole. The
//! right part is compared forwards, then the left one backwards. If the right part fails, the
//! needle moves on by the number of bytes compared; if the left part fails, by the period.

use crate::access::value;

/// Returns the first occurrence of the `k` bytes at `needle` in the `n` bytes at `s`, or null.
///
/// # Safety
///
/// `s` must be valid for reads of `n` bytes and `needle` of `k`, which must be at least 1.
#[cold]
#[inline(never)]
pub(super) unsafe extern "C" fn two_way(
    s: *const u8,
    n: usize,
    needle: *const u8,
    k: usize,
) -> *const u8 {
    // SAFETY: all indices are below k, because the period of a suffix is at most its length; at + k
    // is at most n.
    unsafe {
        // The later of the two cuts is a place where the local period is that of the whole.
        let (up, up_period) = cut(needle, k, false);
        let (down, down_period) = cut(needle, k, true);
        let (cut, period) = if up > down {
            (up, up_period)
        } else {
            (down, down_period)
        };
        // Whether that is the period of the whole needle: then the left part occurs again after it,
        // and the part compared before the needle moves by it need not be compared again.
        let mut same = 0;
        while same < cut && byte(needle, same) == byte(needle, period.wrapping_add(same)) {
            same = same.wrapping_add(1);
        }
        let periodic = same == cut;
        let (step, known_after) = if periodic {
            (period, k.wrapping_sub(period))
        } else {
            (usize::max(cut, k.wrapping_sub(cut)).wrapping_add(1), 0)
        };
        let mut at: usize = 0;
        // The number of bytes at the start of the needle that are known to be equal.
        let mut known = 0;
        while at.wrapping_add(k) <= n {
            let here = s.wrapping_add(at);
            let mut right = usize::max(cut, known);
            while right < k && byte(needle, right) == byte(here, right) {
                right = right.wrapping_add(1);
            }
            if right < k {
                at = at.wrapping_add(right.wrapping_sub(cut)).wrapping_add(1);
                known = 0;
            } else {
                let mut left = cut;
                while left > known
                    && byte(needle, left.wrapping_sub(1)) == byte(here, left.wrapping_sub(1))
                {
                    left = left.wrapping_sub(1);
                }
                if left <= known {
                    return here;
                }
                at = at.wrapping_add(step);
                known = known_after;
            }
        }
        core::ptr::null()
    }
}

/// Returns where the greatest suffix of the needle starts, in the order of bytes or its reverse,
/// and the period of that suffix.
///
/// # Safety
///
/// `needle` must be valid for reads of `k` bytes.
#[inline(always)]
unsafe fn cut(needle: *const u8, k: usize, reverse: bool) -> (usize, usize) {
    // The greatest suffix so far, another one that is compared with it, how many bytes they have in
    // common, and the period of the first.
    let (mut start, mut other, mut same, mut period) = (0_usize, 1_usize, 0_usize, 1_usize);
    // SAFETY: start is less than other, and other + same less than k.
    unsafe {
        while other.wrapping_add(same) < k {
            let of_start = byte(needle, start.wrapping_add(same));
            let of_other = byte(needle, other.wrapping_add(same));
            if of_other == of_start {
                same = same.wrapping_add(1);
                if same == period {
                    other = other.wrapping_add(period);
                    same = 0;
                }
            } else if (of_other < of_start) != reverse {
                other = other.wrapping_add(same).wrapping_add(1);
                same = 0;
                period = other.wrapping_sub(start);
            } else {
                start = other;
                other = other.wrapping_add(1);
                same = 0;
                period = 1;
            }
        }
    }
    (start, period)
}

/// # Safety
///
/// `of` must be valid for reads of `at` + 1 bytes.
#[inline(always)]
unsafe fn byte(of: *const u8, at: usize) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { value::<u8>(of.wrapping_add(at)) }
}

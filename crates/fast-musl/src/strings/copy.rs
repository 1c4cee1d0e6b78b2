//! The copy behind `strcpy` and `stpcpy`.

use core::mem::MaybeUninit;

use super::arch::Block;
use super::bytes::{Bytes, any_of_four, crosses, first_of_four, offset};
use crate::access::{load, store, value};

/// `strcpy`
///
/// # Safety
///
/// As for `strcpy`, and the processor must have these vectors; likewise below.
#[inline(always)]
pub(super) unsafe fn copy_to<V: Bytes>(dst: *mut u8, s: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { copy::<V>(dst, s) };
    opaque(dst)
}

/// Returns the same pointer in a way that the compiler cannot see. A caller that is known to return
/// its argument would save it and call, instead of jumping.
#[inline(always)]
fn opaque(dst: *mut u8) -> *mut u8 {
    #[cfg(not(miri))]
    let dst = {
        let mut same = dst;
        #[allow(
            clippy::pointers_in_nomem_asm_block,
            reason = "nothing is read or written"
        )]
        // SAFETY: there is no instruction.
        unsafe {
            core::arch::asm!(
                "/* {0} */",
                inout(reg) same,
                options(nostack, preserves_flags)
            );
        };
        same
    };
    dst
}

/// `stpcpy`
///
/// # Safety
///
/// See [`copy_to`].
#[inline(always)]
pub(super) unsafe fn copy<V: Bytes>(dst: *mut u8, s: *const u8) -> *mut u8 {
    let before = offset(s, V::LEN);
    // SAFETY: each loaded vector lies in readable pages: it does not cross a page and its first
    // byte, or that of four, is one of the string; or the bytes of the string extend beyond it.
    // Only bytes of the string are stored.
    unsafe {
        if crosses(s, V::LEN)
            && let Some(end) = V::first(value::<V>(s.wrapping_sub(before)).zero(), before)
        {
            return copy_short::<V>(dst, s, end);
        }
        // The string continues in the next page, or this vector is in one page.
        let start = value::<V>(s);
        if let Some(end) = V::first(start.zero(), 0) {
            return copy_short::<V>(dst, s, end);
        }
        store_at(dst, 0, start);
        let mut at = V::LEN.wrapping_sub(before);
        let mut turns = 0;
        while turns < 4 {
            let bytes = value::<V>(s.wrapping_add(at));
            if let Some(more) = V::first(bytes.zero(), 0) {
                return copy_end::<V>(dst, s, at.wrapping_add(more));
            }
            store_at(dst, at, bytes);
            at = at.wrapping_add(V::LEN);
            turns += 1;
        }
        // Back to a multiple of four vectors, so some are copied again.
        at = at.wrapping_sub(offset(s.wrapping_add(at), const { 4 * V::LEN }));
        loop {
            let from = s.wrapping_add(at);
            let first = value::<V>(from);
            let second = value::<V>(from.wrapping_add(V::LEN));
            let third = value::<V>(from.wrapping_add(const { 2 * V::LEN }));
            let last = value::<V>(from.wrapping_add(const { 3 * V::LEN }));
            let four = (first.zero(), second.zero(), third.zero(), last.zero());
            if any_of_four::<V>(four)
                && let Some(more) = first_of_four::<V>(four)
            {
                // The whole vectors before it.
                if more >= V::LEN {
                    store_at(dst, at, first);
                }
                if more >= const { 2 * V::LEN } {
                    store_at(dst, at.wrapping_add(V::LEN), second);
                }
                if more >= const { 3 * V::LEN } {
                    store_at(dst, at.wrapping_add(const { 2 * V::LEN }), third);
                }
                return copy_end::<V>(dst, s, at.wrapping_add(more));
            }
            store_at(dst, at, first);
            store_at(dst, at.wrapping_add(V::LEN), second);
            store_at(dst, at.wrapping_add(const { 2 * V::LEN }), third);
            store_at(dst, at.wrapping_add(const { 3 * V::LEN }), last);
            at = at.wrapping_add(const { 4 * V::LEN });
        }
    }
}

/// # Safety
///
/// `dst` must be valid for writes of `at` bytes and a vector.
#[inline(always)]
unsafe fn store_at<V: Bytes>(dst: *mut u8, at: usize, bytes: V) {
    // SAFETY: the caller's promise.
    unsafe { store(dst.wrapping_add(at), MaybeUninit::new(bytes)) }
}

/// Copies the last vector of a string whose zero is at `end`, and returns where the copied zero is.
///
/// # Safety
///
/// As for [`copy`], and the string must have at least a vector, the zero included.
#[inline(always)]
unsafe fn copy_end<V: Bytes>(dst: *mut u8, s: *const u8, end: usize) -> *mut u8 {
    let at = end.wrapping_sub(const { V::LEN - 1 });
    // SAFETY: the vector ends with the string.
    unsafe { store_at(dst, at, value::<V>(s.wrapping_add(at))) };
    dst.wrapping_add(end)
}

/// Copies a string whose zero is at `end` in two overlapping pieces, and returns where the copied
/// zero is.
///
/// # Safety
///
/// As for [`copy`], and the string must have at most a vector, the zero included.
#[inline(always)]
unsafe fn copy_short<V: Bytes>(dst: *mut u8, s: *const u8, end: usize) -> *mut u8 {
    // SAFETY: each function is called for lengths that it covers.
    unsafe {
        if V::LEN > 16 && end >= 15 {
            copy_ends::<Block>(dst, s, end);
        } else if end >= 7 {
            copy_ends::<u64>(dst, s, end);
        } else if end >= 3 {
            copy_ends::<u32>(dst, s, end);
        } else if end >= 1 {
            copy_ends::<u16>(dst, s, end);
        } else {
            store(dst, MaybeUninit::new(0_u8));
        }
    }
    dst.wrapping_add(end)
}

/// # Safety
///
/// As for [`copy`], and the string must have one to two times as many bytes as `T`, the zero
/// included.
#[inline(always)]
unsafe fn copy_ends<T: Copy>(dst: *mut u8, s: *const u8, end: usize) {
    let at = end.wrapping_sub(const { size_of::<T>() - 1 });
    // SAFETY: the second ends with the string.
    unsafe {
        let (first, last) = (load::<T>(s), load::<T>(s.wrapping_add(at)));
        store(dst, first);
        store(dst.wrapping_add(at), last);
    }
}

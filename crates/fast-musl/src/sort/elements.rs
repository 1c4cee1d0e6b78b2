//! Operations on elements: comparing them, and moving them within their array.

use core::ffi::{c_int, c_void};
use core::marker::PhantomData;

use crate::access::{load, store};

/// The caller's comparison function.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) compare: unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void) -> c_int,
    pub(super) argument: *mut c_void,
}

impl Order {
    #[inline(always)]
    pub(super) fn of<S: Size>(self, size: S) -> Elements<S> {
        Elements { size, order: self }
    }
}

/// Elements of one size, with an order.
#[derive(Clone, Copy)]
pub(super) struct Elements<S> {
    pub(super) size: S,
    order: Order,
}

impl<S: Size> Elements<S> {
    /// Less than zero if `a` comes before `b`, more than zero if after it.
    ///
    /// # Safety
    ///
    /// Both must be elements; likewise below.
    #[inline(always)]
    pub(super) unsafe fn compare(self, a: *const u8, b: *const u8) -> c_int {
        // SAFETY: the caller's promise.
        unsafe { (self.order.compare)(a.cast(), b.cast(), self.order.argument) }
    }

    /// Returns whether `a` comes before `b`.
    ///
    /// # Safety
    ///
    /// See above.
    #[inline(always)]
    pub(super) unsafe fn less(self, a: *const u8, b: *const u8) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.compare(a, b) < 0 }
    }

    /// The same elements, moved in parts.
    #[inline(always)]
    pub(super) fn of_any_size(self) -> Elements<Parts> {
        self.order.of(Parts(self.size.bytes()))
    }

    /// Returns the element `index` places after `base`.
    #[inline(always)]
    pub(super) fn at(self, base: *mut u8, index: usize) -> *mut u8 {
        base.wrapping_add(index.wrapping_mul(self.size.bytes()))
    }

    /// Swaps two elements, or one with itself.
    ///
    /// # Safety
    ///
    /// See above.
    #[inline(always)]
    pub(super) unsafe fn swap(self, a: *mut u8, b: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { self.size.swap(a, b) }
    }

    /// Moves an element to a place at or before its own, and shifts the elements between them by
    /// one.
    ///
    /// # Safety
    ///
    /// See above.
    #[inline(always)]
    pub(super) unsafe fn bring(self, from: *mut u8, to: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { self.size.bring(from, to) }
    }
}

/// A size of elements, and how to move such elements.
pub(super) trait Size: Copy {
    fn bytes(self) -> usize;

    /// # Safety
    ///
    /// As for [`Elements::swap`].
    unsafe fn swap(self, a: *mut u8, b: *mut u8);

    /// # Safety
    ///
    /// As for [`Elements::bring`].
    unsafe fn bring(self, from: *mut u8, to: *mut u8);
}

/// The size of a type that fits into registers.
#[derive(Clone, Copy)]
pub(super) struct Fixed<T>(PhantomData<T>);

impl<T> Fixed<T> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<T: Copy> Size for Fixed<T> {
    #[inline(always)]
    fn bytes(self) -> usize {
        size_of::<T>()
    }

    #[inline(always)]
    unsafe fn swap(self, a: *mut u8, b: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { swap::<T>(a, b) }
    }

    #[inline(always)]
    unsafe fn bring(self, from: *mut u8, to: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { bring::<T>(from, to, size_of::<T>()) }
    }
}

/// A size known at run time: elements are moved in parts.
#[derive(Clone, Copy)]
pub(super) struct Parts(pub(super) usize);

/// Runs code for each part of an element.
macro_rules! by_parts {
    ($size:expr, $part:ident, $at:ident, $code:expr) => {{
        let (size, mut $at) = ($size, 0_usize);
        while size.wrapping_sub($at) >= 16 {
            type $part = u128;
            $code;
            $at = $at.wrapping_add(16);
        }
        if size & 8 != 0 {
            type $part = u64;
            $code;
            $at = $at.wrapping_add(8);
        }
        if size & 4 != 0 {
            type $part = u32;
            $code;
            $at = $at.wrapping_add(4);
        }
        if size & 2 != 0 {
            type $part = u16;
            $code;
            $at = $at.wrapping_add(2);
        }
        if size & 1 != 0 {
            type $part = u8;
            $code;
        }
    }};
}

impl Size for Parts {
    #[inline(always)]
    fn bytes(self) -> usize {
        self.0
    }

    #[inline(always)]
    unsafe fn swap(self, a: *mut u8, b: *mut u8) {
        by_parts!(self.0, Part, at, {
            // SAFETY: the caller's promise; the part is within the element.
            unsafe { swap::<Part>(a.wrapping_add(at), b.wrapping_add(at)) }
        });
    }

    #[inline(always)]
    unsafe fn bring(self, from: *mut u8, to: *mut u8) {
        by_parts!(self.0, Part, at, {
            // SAFETY: the caller's promise; the part is within the elements.
            unsafe { bring::<Part>(from.wrapping_add(at), to.wrapping_add(at), self.0) }
        });
    }
}

/// # Safety
///
/// Both must be valid for reads and writes of the size.
#[inline(always)]
unsafe fn swap<T: Copy>(a: *mut u8, b: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let (of_a, of_b) = (load::<T>(a), load::<T>(b));
        store(a, of_b);
        store(b, of_a);
    }
}

/// # Safety
///
/// `to` must be a multiple of `step` before `from`, and each step valid for reads and writes.
#[inline(always)]
unsafe fn bring<T: Copy>(from: *mut u8, to: *mut u8, step: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let brought = load::<T>(from);
        let mut at = from;
        while at != to {
            let before = at.wrapping_sub(step);
            store(at, load::<T>(before));
            at = before;
        }
        store(to, brought);
    }
}

//! The allocator.

use crate::class;
use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_int;
use core::ptr;
use tikv_jemalloc_sys as ffi;

/// The alignment that jemalloc gives every block at least as large, unasked:
/// its quantum, unless built with another (`JEMALLOC_SYS_WITH_LG_QUANTUM`),
/// which may be larger than the default but not smaller.
pub(crate) const UNASKED_ALIGN: usize = if cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "loongarch64",
    target_arch = "mips64",
    target_arch = "powerpc64",
    target_arch = "riscv32",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "sparc64",
)) {
    16
} else {
    8
};

/// The largest size of a small block, with pages of 4 KiB. Small blocks never
/// grow in place. With larger pages some larger ones are small too, and for
/// these jemalloc is asked in vain.
const SMALL: usize = 14 << 10;

/// Growth to these sizes reserves addresses for more. Below, it does not pay,
/// and costs a little where many blocks grow at a time; above, nobody measured.
/// On 32 bits addresses are too few.
const RESERVE_FROM: usize = 512 << 10;
const RESERVE_TO: usize = if cfg!(target_pointer_width = "64") {
    1 << 30
} else {
    0
};
/// How much is reserved: room for four doublings, but no more than this.
const RESERVE_TIMES: usize = 16;
const RESERVE: usize = 4 * RESERVE_TO;

/// jemalloc, told every size that Rust knows.
///
/// Allocation and release are those of tikv-jemallocator: `malloc`, `calloc`
/// or `mallocx`, and `sdallocx`. Reallocation, where jemalloc would not be told
/// the old size, is:
///
/// - nothing at all, if both sizes surely share a size class;
/// - allocation, copy and release, if one of the sizes is below 14 KiB;
/// - `rallocx` otherwise, which may grow or shrink the block in place;
/// - to 512 KiB and more (and up to 1 GiB, where addresses have 64 bits): if
///   the block cannot grow in place, it moves to the start of a region sixteen
///   times its new size (4 GiB at most), of which the rest is given back
///   untouched. It usually is still free when the block grows again, and then
///   nothing is copied. This takes addresses, but no memory, unless the program
///   locks its memory (`mlockall` with `MCL_FUTURE`), has jemalloc fill it
///   (`junk:true`, as the feature `debug` has), or the system counts addresses
///   (`vm.overcommit_memory` 2).
///
/// The first two need both sizes to be at least the alignment, and that to be
/// at most 16 (8 on some targets). Everything else is left to `rallocx`.
///
/// As [`GlobalAlloc`] has it, no size is ever zero, sizes rounded up to their
/// alignment are at most `isize::MAX`, and null means that there is no memory:
/// then an old block is still what it was.
#[derive(Debug, Clone, Copy, Default)]
pub struct SizedJemalloc;

/// The flags for a block: none, if it is aligned without.
///
/// They must be the same in allocation and release, as an alignment changes
/// the size class.
pub(crate) const fn flags(align: usize, size: usize) -> c_int {
    if aligned_unasked(align, size) {
        0
    } else {
        ffi::MALLOCX_ALIGN(align)
    }
}

/// Whether jemalloc aligns a block of this size enough without being asked.
/// Then it also does for every larger size.
const fn aligned_unasked(align: usize, size: usize) -> bool {
    align <= UNASKED_ALIGN && align <= size
}

/// Whether a block allocated for the old size is surely also one for the new.
#[cfg(test)]
pub(crate) fn surely_same_block(align: usize, old: usize, new: usize) -> bool {
    aligned_unasked(align, old.min(new)) && class::same(old, new)
}

// SAFETY: blocks come from jemalloc, with at least the size and the alignment
// asked for (see `flags`), and stay until they are released. `realloc` keeps
// the contents up to the smaller size in each of its ways, and a block that it
// leaves in place is large enough: `class` proves it. Nothing here panics in a
// release build, and in a debug build only on a size of zero, which callers
// may not pass.
unsafe impl GlobalAlloc for SizedJemalloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size is not zero, by the caller's contract.
        unsafe { allocate(layout.size(), flags(layout.align(), layout.size())) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match flags(layout.align(), layout.size()) {
            // SAFETY: any arguments are right for calloc.
            0 => unsafe { ffi::calloc(1, layout.size()) }.cast(),
            // SAFETY: the size is not zero, by the caller's contract, and the
            // flags are an alignment that is a power of two.
            flags => unsafe { ffi::mallocx(layout.size(), flags | ffi::MALLOCX_ZERO) }.cast(),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let flags = flags(layout.align(), layout.size());
        // SAFETY: the block is from here and live, its layout is this one, by
        // the caller's contract. It was allocated for this size and these
        // flags, or left in place by `realloc` where that makes no difference.
        unsafe { ffi::sdallocx(block.cast(), layout.size(), flags) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        let (align, old) = (layout.align(), layout.size());
        if !aligned_unasked(align, old.min(new)) {
            // SAFETY: the block is live and the new size is not zero, by the
            // caller's contract. The flags are those of the new block.
            return unsafe { ffi::rallocx(block.cast(), new, flags(align, new)) }.cast();
        }
        // Both blocks are ones with flags 0.
        if class::same(old, new) {
            return block;
        }
        if old <= SMALL || new <= SMALL {
            // SAFETY: the block is live and of this size, allocated with flags
            // 0, and the new size is not zero, by the caller's contract.
            unsafe { moved(block, old, new) }
        } else if new > old && (RESERVE_FROM..=RESERVE_TO).contains(&new) {
            // SAFETY: as above, and the new size is larger.
            unsafe { grown(block, old, new) }
        } else {
            // SAFETY: the block is live and the new size is not zero.
            unsafe { ffi::rallocx(block.cast(), new, 0) }.cast()
        }
    }
}

/// A new block, or null.
///
/// # Safety
///
/// The size is not zero, and the flags are from [`flags`].
#[inline]
unsafe fn allocate(size: usize, flags: c_int) -> *mut u8 {
    match flags {
        // SAFETY: any size is right for malloc, which has a shorter way to a
        // small block than mallocx.
        0 => unsafe { ffi::malloc(size) }.cast(),
        // SAFETY: the size is not zero; the alignment is a power of two.
        _ => unsafe { ffi::mallocx(size, flags) }.cast(),
    }
}

/// Moves a block to a new one; null, and no change, if there is none.
///
/// # Safety
///
/// The block is live, was allocated for a size in the class of `old` with
/// flags 0, and `new` is not zero.
#[inline]
unsafe fn moved(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    // SAFETY: the new size is not zero.
    let target = unsafe { allocate(new, 0) };
    if !target.is_null() {
        // SAFETY: for the old block as the caller promises; the new one was
        // just allocated for `new` bytes.
        unsafe { carry_over(block, old, target, old.min(new)) };
    }
    target
}

/// Copies `length` bytes to another block and releases the first.
///
/// # Safety
///
/// The block is live and was allocated for a size in the class of `old` with
/// flags 0. The target is another live block, and both have `length` bytes.
#[inline]
unsafe fn carry_over(block: *mut u8, old: usize, target: *mut u8, length: usize) {
    // SAFETY: both blocks are live and long enough, and two live blocks do not
    // overlap.
    unsafe { ptr::copy_nonoverlapping(block, target, length) };
    // SAFETY: it is live, and not used after this.
    unsafe { ffi::sdallocx(block.cast(), old, 0) };
}

/// Grows a large block, in place if that is possible; null, and no change, if
/// there is no memory.
///
/// # Safety
///
/// As for [`moved`], and `new` is larger than `old`.
#[cold]
unsafe fn grown(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    // SAFETY: the block is live, and the new size is not zero. The return value
    // is what the block has room for now. At least `new` means that it was
    // resized to just that class, or was in it: `old` is smaller, so that it
    // cannot be in a larger class.
    if unsafe { ffi::xallocx(block.cast(), new, 0, 0) } >= new {
        return block;
    }
    // SAFETY: the new size is not zero.
    let target = unsafe { with_room_to_grow(new) };
    if target.is_null() {
        // No such region, say because addresses are limited: the plain way.
        // SAFETY: the block is live and as it was; the new size is not zero.
        return unsafe { ffi::rallocx(block.cast(), new, 0) }.cast();
    }
    // SAFETY: for the old block as the caller promises; the new one has room
    // for `new` bytes, which is more than `old`.
    unsafe { carry_over(block, old, target, old) };
    target
}

/// A block for a size, at the start of a free region [`RESERVE_TIMES`] as large
/// (but no larger than [`RESERVE`]); null if there is none.
///
/// # Safety
///
/// The size is not zero and at most [`RESERVE_TO`].
unsafe fn with_room_to_grow(size: usize) -> *mut u8 {
    let region = (size * RESERVE_TIMES).min(RESERVE);
    // SAFETY: it is not zero.
    let block = unsafe { allocate(region, 0) };
    if block.is_null() {
        return block;
    }
    // SAFETY: the block is live, the size is not zero.
    let shrunk = unsafe { ffi::xallocx(block.cast(), size, 0, 0) };
    // The class must be exactly that of the size by which it will be released.
    // SAFETY: it only computes, and the size is not zero.
    if shrunk == unsafe { ffi::nallocx(size, 0) } {
        return block;
    }
    // SAFETY: it is live and as large as it was allocated: jemalloc either
    // shrinks to the size asked for or does nothing.
    unsafe { ffi::sdallocx(block.cast(), region, 0) };
    ptr::null_mut()
}

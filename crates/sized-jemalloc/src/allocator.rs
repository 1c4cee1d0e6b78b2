//! The allocator.

use crate::class;
use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_int;
use core::ptr;
use tikv_jemalloc_sys as ffi;

/// jemalloc aligns every block of at least this size to it without a request.
/// It is jemalloc's quantum, which a build can make larger
/// (`JEMALLOC_SYS_WITH_LG_QUANTUM`) but not smaller.
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

/// The largest size of a small block with 4 KiB pages. Small blocks never grow
/// in place. With larger pages some larger blocks are small too; for these,
/// asking jemalloc to grow in place is wasted but harmless.
const SMALL: usize = 14 << 10;

/// Growth to these sizes reserves address space for more. Below this range it
/// does not pay and costs a little where many blocks grow at a time; above it,
/// it was not measured. 32-bit systems have too few addresses.
const RESERVE_FROM: usize = 512 << 10;
const RESERVE_TO: usize = if cfg!(target_pointer_width = "64") {
    1 << 30
} else {
    0
};
/// The reserve: room for four doublings, but at most this much.
const RESERVE_TIMES: usize = 16;
const RESERVE: usize = 4 * RESERVE_TO;

/// jemalloc, called with every size that Rust knows.
///
/// Allocation and release are those of tikv-jemallocator: `malloc`, `calloc`
/// or `mallocx`, and `sdallocx`. Reallocation, where tikv-jemallocator does not
/// pass the old size, is:
///
/// - nothing at all, if both sizes certainly share a size class;
/// - allocation, copy and release, if one of the sizes is below 14 KiB;
/// - `rallocx` otherwise, which may grow or shrink the block in place;
/// - to 512 KiB and more (and up to 1 GiB, on 64-bit systems): if the block
///   cannot grow in place, it moves to the start of a region sixteen times its
///   new size (4 GiB at most), and the rest of the region is given back
///   untouched. The rest is usually still free when the block grows again, and
///   then nothing is copied. This takes address space but no memory, unless the
///   program locks its memory (`mlockall` with `MCL_FUTURE`), jemalloc fills it
///   (`junk:true`, as with the feature `debug`), or the system accounts for
///   address space (`vm.overcommit_memory` 2).
///
/// The first two require both sizes to be at least the alignment, and the
/// alignment to be at most 16 (8 on some targets). Otherwise `rallocx` is used.
///
/// As [`GlobalAlloc`] requires, sizes are never zero, sizes rounded up to their
/// alignment are at most `isize::MAX`, and null means out of memory; the old
/// block is then unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct SizedJemalloc;

/// Returns the flags for a block: 0 if it is aligned without a request.
///
/// They must be the same in allocation and release, because an alignment
/// changes the size class.
pub(crate) const fn flags(align: usize, size: usize) -> c_int {
    if aligned_unasked(align, size) {
        0
    } else {
        ffi::MALLOCX_ALIGN(align)
    }
}

/// Returns whether jemalloc aligns a block of this size enough without a
/// request. If so, that also holds for every larger size.
const fn aligned_unasked(align: usize, size: usize) -> bool {
    align <= UNASKED_ALIGN && align <= size
}

/// Returns whether blocks of both sizes are certainly interchangeable.
#[cfg(test)]
pub(crate) fn surely_same_block(align: usize, old: usize, new: usize) -> bool {
    aligned_unasked(align, old.min(new)) && class::same(old, new)
}

// SAFETY: blocks come from jemalloc, with at least the requested size and
// alignment (see `flags`), and stay until they are released. `realloc` keeps
// the contents up to the smaller size in each of its branches, and a block that
// it leaves in place is large enough: `class` proves it. Nothing here panics in
// a release build, and in a debug build only on a size of zero, which callers
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
            // SAFETY: calloc accepts any arguments.
            0 => unsafe { ffi::calloc(1, layout.size()) }.cast(),
            // SAFETY: the size is not zero, by the caller's contract, and the
            // flags are an alignment that is a power of two.
            flags => unsafe { ffi::mallocx(layout.size(), flags | ffi::MALLOCX_ZERO) }.cast(),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let flags = flags(layout.align(), layout.size());
        // SAFETY: by the caller's contract, the block is from this allocator,
        // live, and has this layout. It was allocated for this size and these
        // flags, or `realloc` left it in place, where they are equivalent.
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
        // Both blocks have flags 0.
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

/// Returns a new block, or null.
///
/// # Safety
///
/// The size is not zero, and the flags are from [`flags`].
#[inline]
unsafe fn allocate(size: usize, flags: c_int) -> *mut u8 {
    match flags {
        // SAFETY: malloc accepts any size. It has a shorter path to a small
        // block than mallocx.
        0 => unsafe { ffi::malloc(size) }.cast(),
        // SAFETY: the size is not zero; the alignment is a power of two.
        _ => unsafe { ffi::mallocx(size, flags) }.cast(),
    }
}

/// Moves a block to a new one; returns null and changes nothing if there is no memory.
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
        // SAFETY: the caller vouches for the old block; the new one was just
        // allocated for `new` bytes.
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
    // SAFETY: the block is live, and not used after this.
    unsafe { ffi::sdallocx(block.cast(), old, 0) };
}

/// Grows a large block, in place if possible; returns null and changes nothing
/// if there is no memory.
///
/// # Safety
///
/// As for [`moved`], and `new` is larger than `old`.
#[cold]
unsafe fn grown(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    // SAFETY: the block is live, and the new size is not zero. The return value
    // is the block's new capacity. At least `new` means that it was resized to
    // exactly that class, or was already in it: `old` is smaller, so the block
    // cannot have been in a larger class.
    if unsafe { ffi::xallocx(block.cast(), new, 0, 0) } >= new {
        return block;
    }
    // SAFETY: the new size is not zero.
    let target = unsafe { with_room_to_grow(new) };
    if target.is_null() {
        // There is no such region, for example because address space is limited.
        // SAFETY: the block is live and as it was; the new size is not zero.
        return unsafe { ffi::rallocx(block.cast(), new, 0) }.cast();
    }
    // SAFETY: the caller vouches for the old block; the new one has room for
    // `new` bytes, which is more than `old`.
    unsafe { carry_over(block, old, target, old) };
    target
}

/// Returns a block at the start of a free region [`RESERVE_TIMES`] its size
/// (but no larger than [`RESERVE`]), or null if there is none.
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
    // The class must be exactly that of the size with which it will be released.
    // SAFETY: `nallocx` only computes, and the size is not zero.
    if shrunk == unsafe { ffi::nallocx(size, 0) } {
        return block;
    }
    // SAFETY: the block is live and has its original size: jemalloc either
    // shrinks to the requested size or does nothing.
    unsafe { ffi::sdallocx(block.cast(), region, 0) };
    ptr::null_mut()
}

//! `realloc` of a block that is not null to a size that is not 0.
//!
//! It does what the crate sized-jemalloc does for Rust, where jemalloc is told the old size; here
//! it must be asked for it first. A block whose size class stays the same is left alone. A small
//! one, which can never grow in place, is copied without asking whether it can. A large one that
//! grows and has no room moves to the start of a region sixteen times its new size, and the rest of
//! the region is given back untouched. The rest is usually still free when the block grows again,
//! and then nothing is copied.

use core::ffi::c_void;

use tikv_jemalloc_sys as jemalloc;

/// The largest size of a small block, with 4 KiB pages. With larger pages some larger blocks are
/// small too; for these, asking jemalloc to grow in place is wasted but harmless.
const SMALL: usize = 14 << 10;
/// Growth to these sizes takes a region with room. Below this range it does not pay; above it, it
/// was not measured. 32-bit systems have too few addresses.
const LARGE: usize = 512 << 10;
const HUGE: usize = if cfg!(target_pointer_width = "64") {
    1 << 30
} else {
    0
};
/// log2 of the region's size relative to the new size, room for four doublings; and its largest
/// size.
const LG_ROOM: u32 = 4;
const REGION: usize = HUGE.wrapping_mul(4);

unsafe extern "C" {
    fn memcpy(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void;
}

/// Changes a block's size and may move it; returns null and leaves the block unchanged if there is
/// no memory.
///
/// # Safety
///
/// `block` is a live block from jemalloc, and `size` is not 0.
pub(super) unsafe extern "C" fn resized(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise; each function requires no more.
    unsafe {
        let old = jemalloc::malloc_usable_size(block);
        if jemalloc::nallocx(size, 0) == old {
            return block;
        }
        if old <= SMALL || size <= SMALL {
            return moved(block, old, size);
        }
        // A range's method would be a call into core in an unoptimised build.
        #[allow(clippy::manual_range_contains, reason = "see above")]
        if size > old && size >= LARGE && size <= HUGE {
            return grown(block, old, size);
        }
        jemalloc::realloc(block, size)
    }
}

/// # Safety
///
/// As for [`resized`]; `old` is the block's usable size.
unsafe extern "C" fn moved(block: *mut c_void, old: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise, and both blocks have at least the smaller size. A block may be
    // released with any size up to its usable size.
    unsafe {
        let target = jemalloc::malloc(size);
        if target as usize != 0 {
            memcpy(target, block, if old < size { old } else { size });
            jemalloc::sdallocx(block, old, 0);
        }
        target
    }
}

/// # Safety
///
/// As for [`moved`], and `size` is larger than `old` and at most [`HUGE`].
#[cold]
#[inline(never)]
unsafe extern "C" fn grown(block: *mut c_void, old: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise. `xallocx` returns the block's usable size afterwards.
    unsafe {
        if jemalloc::xallocx(block, size, 0, 0) >= size {
            return block;
        }
        let region = size << LG_ROOM;
        let region = if region < REGION { region } else { REGION };
        let target = jemalloc::malloc(region);
        if target as usize == 0 {
            // There is no such region, for example because address space is limited.
            return jemalloc::realloc(block, size);
        }
        if jemalloc::xallocx(target, size, 0, 0) != jemalloc::nallocx(size, 0) {
            // `xallocx` did not give back the rest.
            jemalloc::sdallocx(target, region, 0);
            return jemalloc::realloc(block, size);
        }
        memcpy(target, block, old);
        jemalloc::sdallocx(block, old, 0);
        target
    }
}

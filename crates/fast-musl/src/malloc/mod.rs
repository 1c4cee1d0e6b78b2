//! `malloc` and the functions that belong to it from jemalloc, instead of musl's, whose allocator
//! has one lock for all threads.
//!
//! Each function passes its arguments to jemalloc's function of the same name with a prefix, except
//! `realloc` (see `resize`). The eight are always defined together: memory from one allocator must
//! never reach the other's `free`. musl's headers declare no other allocation function except
//! `reallocarray`, which calls `realloc`. Where musl itself allocates memory that a program cannot
//! free (`atexit`, `pthread_atfork`, the dynamic linker), it calls its own allocator by another
//! name, so jemalloc's initialisation does not lead back to jemalloc.
//!
//! This crate takes no part in link-time optimisation, so a compiler that knows what `malloc` does
//! cannot make a function here call itself, or remove it.

mod resize;

use core::ffi::{c_int, c_void};

use tikv_jemalloc_sys as jemalloc;

note!("malloc=jemalloc");

// jemalloc's options, a `const char *` with this name instead of jemalloc's own weak one. They keep
// memory of 8 MiB and more from going back to the system as soon as it is freed: a program that
// frees such a block soon requests the next one, and each of its pages would cause a fault. A
// number above every size does so; 0 does not in 5.3.1.
//
// The symbol is weak as well, which only assembly can express, so the program may define its own
// options. The first of two weak symbols wins, and jemalloc comes after the crates that use it. On
// an architecture not named below, jemalloc's own symbol stays.
macro_rules! options {
    ($pointer:literal, $threshold:literal) => {
        core::arch::global_asm!(
            ".pushsection .data.rel.ro._rjem_malloc_conf, \"aw\"",
            ".balign 8",
            ".weak _rjem_malloc_conf",
            ".type _rjem_malloc_conf, %object",
            "_rjem_malloc_conf:",
            concat!($pointer, " 2f"),
            ".size _rjem_malloc_conf, . - _rjem_malloc_conf",
            ".popsection",
            ".pushsection .rodata._rjem_malloc_conf, \"a\"",
            "2:",
            concat!(".asciz \"oversize_threshold:", $threshold, "\""),
            ".popsection",
        );
    };
}
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "loongarch64"
))]
options!(".quad", "1152921504606846976");
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
options!(".long", "1073741824");

/// Returns `size` bytes, aligned for any type; null, with `errno` `ENOMEM`, if there is no memory.
///
/// # Safety
///
/// None beyond those for using the memory.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: jemalloc accepts any size.
    unsafe { jemalloc::malloc(size) }
}

/// Returns `count` times `size` bytes of zeros; null, with `errno` `ENOMEM`, if there is no memory
/// or the product overflows.
///
/// # Safety
///
/// As for [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: jemalloc accepts any arguments.
    unsafe { jemalloc::calloc(count, size) }
}

/// Changes a block's size and may move it; returns null, with `errno` `ENOMEM`, and leaves the
/// block unchanged if there is no memory. A size of 0 is like any other, as in musl.
///
/// # Safety
///
/// `block` is null, or from a function of this module and not freed yet.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // jemalloc frees a block whose new size is 0, and returns null. To code written for musl, that
    // means that there is no memory and that it still owns the block.
    let size = if size == 0 { 1 } else { size };
    // SAFETY: the caller's promise; all blocks are jemalloc's.
    unsafe {
        if block as usize == 0 {
            jemalloc::malloc(size)
        } else {
            resize::resized(block, size)
        }
    }
}

/// Frees a block.
///
/// # Safety
///
/// As for [`realloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the caller's promise; all blocks are jemalloc's.
    unsafe { jemalloc::free(block) }
}

/// Returns `size` bytes at a multiple of `alignment`; null, with `errno` `EINVAL` if that is not a
/// power of two, or `ENOMEM`.
///
/// # Safety
///
/// As for [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    // SAFETY: jemalloc accepts any arguments.
    unsafe { jemalloc::aligned_alloc(alignment, size) }
}

/// Like [`aligned_alloc`].
///
/// # Safety
///
/// As for [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    // Not jemalloc's own `memalign`, which a build of it has only if its configure script found one
    // in libc: the two differ only in name.
    // SAFETY: jemalloc accepts any arguments.
    unsafe { jemalloc::aligned_alloc(alignment, size) }
}

/// Stores a pointer to `size` bytes at a multiple of `alignment` in `block`, and returns 0. Returns
/// `EINVAL` if that is not a power of two or smaller than a pointer, or `ENOMEM`, and stores
/// nothing.
///
/// # Safety
///
/// `block` is valid for a write.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(
    block: *mut *mut c_void,
    alignment: usize,
    size: usize,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { jemalloc::posix_memalign(block, alignment, size) }
}

/// Returns a block's usable size, which is at least the requested size; 0 for null.
///
/// # Safety
///
/// As for [`realloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: the caller's promise; all blocks are jemalloc's.
    unsafe { jemalloc::malloc_usable_size(block.cast_const()) }
}

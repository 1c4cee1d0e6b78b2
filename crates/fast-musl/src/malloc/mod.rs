//! `malloc` and its kin by jemalloc, in place of musl's, whose allocator has one lock for all threads.
//!
//! Each function hands its arguments on to jemalloc's of the same name with a prefix, but for `realloc`
//! (see `resize`). The eight are always defined together: memory that comes from one allocator must
//! never reach the other's `free`.
//! musl's headers declare no other way to memory but `reallocarray`, which calls `realloc`. musl's
//! own uses of memory that a program cannot free (`atexit`, `pthread_atfork`, the dynamic linker's)
//! go to its allocator by a name of their own, so that jemalloc's start does not lead back to
//! jemalloc.
//!
//! As this crate takes no part in link-time optimisation, a compiler that knows what `malloc` does
//! cannot make a function here call itself, or drop it.

mod resize;

use core::ffi::{c_int, c_void};

use tikv_jemalloc_sys as jemalloc;

note!("malloc=jemalloc");

// jemalloc's options, a `const char *` of this name in place of its own weak one. They turn off that
// memory of 8 MiB and more goes back to the system as soon as it is freed: a program that frees such
// a block asks for the next one soon, and each of its pages would come with a fault. A number above
// every size does so; 0 does not in 5.3.1.
//
// The symbol is weak as well, which only assembly can ask for, so that the program may have options of
// its own. Of two weak ones the first wins, and jemalloc comes after the crates that use it. On an
// architecture that is not named below, jemalloc's own stays.
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

/// `size` bytes, aligned for any type; null, and `errno` is `ENOMEM`, where there are none.
///
/// # Safety
///
/// None beyond what using the memory takes.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: any size is right.
    unsafe { jemalloc::malloc(size) }
}

/// `count` times `size` bytes of zeros; null, and `errno` is `ENOMEM`, where there are none or the
/// product is too large for a number.
///
/// # Safety
///
/// As for [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: any arguments are right.
    unsafe { jemalloc::calloc(count, size) }
}

/// The block with another size, at another place perhaps; null, `errno` is `ENOMEM`, and the block is
/// what it was, where there is no memory. A size of 0 is like any other, as with musl.
///
/// # Safety
///
/// `block` is null, or from a function of this module and not yet freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // jemalloc frees a block whose new size is 0, and returns null: to code that knows musl, memory has
    // run out, and the block is still its own.
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

/// Gives a block back.
///
/// # Safety
///
/// As for [`realloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the caller's promise; all blocks are jemalloc's.
    unsafe { jemalloc::free(block) }
}

/// `size` bytes at a multiple of `alignment`; null, and `errno` is `EINVAL`, where that is no power
/// of two, or `ENOMEM`.
///
/// # Safety
///
/// As for [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    // SAFETY: any arguments are right.
    unsafe { jemalloc::aligned_alloc(alignment, size) }
}

/// As [`aligned_alloc`].
///
/// # Safety
///
/// As for [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    // Not jemalloc's own `memalign`, which a build of it has only where its configure script found
    // one in libc: the two differ in name alone.
    // SAFETY: any arguments are right.
    unsafe { jemalloc::aligned_alloc(alignment, size) }
}

/// Stores `size` bytes at a multiple of `alignment` in `block`, and returns 0; `EINVAL` where that is
/// no power of two or less than a pointer takes, or `ENOMEM`, and stores nothing.
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

/// How many bytes the block has room for, at least as many as were asked for; 0 for null.
///
/// # Safety
///
/// As for [`realloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: the caller's promise; all blocks are jemalloc's.
    unsafe { jemalloc::malloc_usable_size(block.cast_const()) }
}

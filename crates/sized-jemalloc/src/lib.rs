//! jemalloc as a Rust allocator that uses the sizes that Rust knows, also in
//! reallocation.
//!
//! ```
//! # #[cfg(unix)]
//! #[global_allocator]
//! static GLOBAL: sized_jemalloc::SizedJemalloc = sized_jemalloc::SizedJemalloc;
//! ```
//!
//! # What it saves
//!
//! Rust passes the old size to every reallocation and every release.
//! jemalloc's C interface uses it for a release (`sdallocx`) but not for a
//! reallocation: `rallocx` looks the size up in a tree shared by all threads.
//! Here a reallocation between small sizes avoids the lookup. It leaves the
//! memory in place if both sizes are certainly in one size class, and otherwise
//! allocates, copies and releases with the known size. For two large sizes
//! jemalloc is still asked, because it may be able to grow the block in place;
//! from 512 KiB on, reserved address space makes that likely: see
//! [`SizedJemalloc`].
//!
//! # Features
//!
//! - `background_threads_runtime_support` (default): jemalloc can run threads
//!   that return memory to the system, if its options say so.
//! - `debug`: turns on jemalloc's own assertions, including checks of the sizes
//!   passed to it.
//! - `keep_large`: sets jemalloc's option `oversize_threshold` out of reach.
//!   By default jemalloc returns freed memory of 8 MiB and more to the system
//!   at once, and keeps such blocks in an arena of their own, so growing past
//!   that size always copies and always takes new pages. With this feature the
//!   memory stays for reuse, like smaller blocks, for the time given below.
//! - `arena_per_cpu`: sets jemalloc's option `narenas_ratio` to one arena per
//!   CPU. By default there are four, so each of a few threads has an arena of
//!   its own, with its own free memory and records: some 100 KiB even if the
//!   thread does little. With fewer arenas, threads that are not running leave
//!   their free memory to others; threads that allocate much at the same time
//!   may wait for each other more often if there are several per CPU.
//!
//! `keep_large` and `arena_per_cpu` define the symbols `_rjem_malloc_conf` and
//! `malloc_conf` (which one jemalloc reads depends on its prefix), so a program
//! that defines either as well does not link. The environment variable
//! `_RJEM_MALLOC_CONF`, or `MALLOC_CONF`, still overrides the options.
//!
//! # When freed memory goes back to the system
//!
//! jemalloc keeps freed pages for ten seconds and returns more and more of
//! them during that time, but it checks the clock only occasionally, when a
//! thread needs more from its arena than its own cache holds. A program that
//! frees much and then is idle, or continues with small blocks alone, keeps
//! that memory: 512 MiB were still resident after 15 seconds and 200,000 small
//! allocations. jemalloc's background threads solve this, but on musl it has
//! none. Call [`decay`] about once a second instead: freed memory is then
//! returned within eleven seconds.
//!
//! The crate is empty on systems other than Unix.
#![no_std]

#[cfg(test)]
extern crate std;

#[cfg(unix)]
mod allocator;
#[cfg(unix)]
mod class;
#[cfg(all(unix, any(feature = "keep_large", feature = "arena_per_cpu")))]
mod options;

#[cfg(unix)]
pub use allocator::SizedJemalloc;

/// Checks the clock for all arenas and returns to the system the memory that is
/// due: gradually more with time since it was freed, and all of it after ten
/// seconds (jemalloc's options `dirty_decay_ms` and `muzzy_decay_ms`).
///
/// Call it regularly: jemalloc counts the ten seconds from the first check
/// after memory was freed, not from the release. A call takes the locks of the
/// arenas in turn, and takes microseconds if nothing is due.
#[cfg(unix)]
pub fn decay() {
    // `arena.<i>.decay` for all arenas: MALLCTL_ARENAS_ALL in jemalloc.h.
    // SAFETY: it reads and writes none of our memory. It can fail only for a
    // name that jemalloc does not have.
    unsafe {
        tikv_jemalloc_sys::mallctl(
            c"arena.4096.decay".as_ptr(),
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            0,
        );
    }
}

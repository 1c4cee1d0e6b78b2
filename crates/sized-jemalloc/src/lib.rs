//! jemalloc as a Rust allocator which uses the sizes that Rust knows, in
//! reallocation as well.
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
//! jemalloc's C interface takes it for a release (`sdallocx`) but not for a
//! reallocation: `rallocx` finds it out in a tree shared by all threads. Here a
//! reallocation between small sizes never asks. It leaves the memory where it
//! is if both sizes are surely in one size class, and otherwise allocates,
//! copies and releases with the known size. Of two large sizes, jemalloc is
//! still asked, as it may be able to grow memory in place; from half a
//! mebibyte on it is helped to: see [`SizedJemalloc`].
//!
//! # Features
//!
//! - `background_threads_runtime_support` (default): jemalloc can have threads
//!   that return memory to the system, if its options say so.
//! - `debug`: jemalloc checks itself, the sizes passed to it among the rest.
//! - `keep_large`: sets jemalloc's option `oversize_threshold` out of reach.
//!   By default jemalloc returns freed memory of 8 MiB and more to the system
//!   at once, and keeps it apart, so that growing past that size always copies
//!   and always takes new pages. With this feature it stays for reuse, as
//!   smaller blocks do: see below for how long. This defines the symbols
//!   `_rjem_malloc_conf` and `malloc_conf` (which one jemalloc reads depends on
//!   its prefix), so a program that defines either too does not link; the
//!   environment variable `_RJEM_MALLOC_CONF`, or `MALLOC_CONF`, still has the
//!   last word.
//!
//! # When freed memory goes back to the system
//!
//! jemalloc keeps freed pages for ten seconds and returns more and more of
//! them meanwhile, but it looks at the clock only now and then, when a thread
//! turns to its arena for more than what is in the thread's own cache. A
//! program that frees much and then rests, or goes on with small blocks alone,
//! keeps that memory: 512 MiB were still resident after 15 seconds and 200,000
//! small allocations. Where jemalloc has background threads they see to it; on
//! musl it has none. [`decay`], called every second or so, makes it true: what
//! was freed is back eleven seconds later.
//!
//! On systems other than Unix the crate is empty.
#![no_std]

#[cfg(test)]
extern crate std;

#[cfg(unix)]
mod allocator;
#[cfg(unix)]
mod class;
#[cfg(all(unix, feature = "keep_large"))]
mod keep_large;

#[cfg(unix)]
pub use allocator::SizedJemalloc;

/// Looks at the clock for all arenas, and returns to the system what is due: the
/// more of the freed memory the longer ago it was, and all of it after ten
/// seconds (jemalloc's options `dirty_decay_ms` and `muzzy_decay_ms`).
///
/// It must be called regularly, as jemalloc counts the ten seconds from the
/// first look after memory was freed, not from the release. A call takes the
/// locks of the arenas in turn, and microseconds where nothing is due.
#[cfg(unix)]
pub fn decay() {
    // `arena.<i>.decay` for all arenas: MALLCTL_ARENAS_ALL in jemalloc.h.
    // SAFETY: it reads and writes nothing of ours. It can fail only for a name
    // that jemalloc does not have.
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

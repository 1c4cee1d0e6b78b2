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
//!   and always takes new pages. With this feature it stays for reuse until
//!   the usual decay, ten seconds. This defines the symbol
//!   `_rjem_malloc_conf`, so a program that defines it too does not link; the
//!   environment variable `_RJEM_MALLOC_CONF` still has the last word.
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

//! What a program is linked with by the features of this build: the allocator, and on
//! musl the memory routines.
//!
//! The library does not install the allocator: that is for the program that uses it.

#![forbid(unsafe_code)]

#[cfg(all(feature = "jemalloc", unix))]
mod jemalloc;

// Its symbols take the place of musl's; there is nothing to call.
#[cfg(all(feature = "fast-memory", target_os = "linux", target_env = "musl"))]
use fast_musl as _;

#[cfg(all(feature = "jemalloc", unix))]
pub use jemalloc::{figures, report};
#[cfg(all(feature = "sized-jemalloc", unix))]
pub use sized_jemalloc::SizedJemalloc as Chosen;
#[cfg(not(all(feature = "jemalloc", unix)))]
pub use std::alloc::System as Chosen;
#[cfg(all(feature = "jemalloc", not(feature = "sized-jemalloc"), unix))]
pub use tikv_jemallocator::Jemalloc as Chosen;

/// What has to be called every second or so, so that memory that was freed goes back
/// to the system while the program rests. jemalloc alone leaves that to its callers.
#[cfg(all(feature = "sized-jemalloc", unix))]
pub const UPKEEP: Option<fn()> = Some(sized_jemalloc::decay);
/// What has to be called every second or so: nothing for this allocator.
#[cfg(not(all(feature = "sized-jemalloc", unix)))]
pub const UPKEEP: Option<fn()> = None;

/// What the allocator says of its memory, names and bytes: nothing, this one does not
/// tell.
#[cfg(not(all(feature = "jemalloc", unix)))]
#[must_use]
pub fn figures() -> Vec<(&'static str, u64)> {
    Vec::new()
}

/// The allocator that a program installed as its global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalAllocator {
    /// None of its own: Rust's default, which is the C library's `malloc`.
    System,
    /// jemalloc, by tikv-jemallocator.
    #[cfg(all(feature = "jemalloc", unix))]
    Jemalloc,
}

impl GlobalAllocator {
    /// What [`Chosen`] is, to be named where the allocator is described.
    #[cfg(all(feature = "jemalloc", unix))]
    pub const CHOSEN: Self = Self::Jemalloc;
    /// What [`Chosen`] is, to be named where the allocator is described.
    #[cfg(not(all(feature = "jemalloc", unix)))]
    pub const CHOSEN: Self = Self::System;
}

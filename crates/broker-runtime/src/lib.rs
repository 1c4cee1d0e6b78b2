//! The allocator and, on musl, the memory routines that this build's features select.
//!
//! The library does not install the allocator; the program that uses it does.

#![forbid(unsafe_code)]

#[cfg(all(feature = "jemalloc", unix))]
mod jemalloc;

// Its symbols replace musl's; there is nothing to call.
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

/// Returns freed memory to the system while the program is idle. Call it about once a
/// second: jemalloc itself only does so when it is called.
#[cfg(all(feature = "sized-jemalloc", unix))]
pub const UPKEEP: Option<fn()> = Some(sized_jemalloc::decay);
/// Does nothing: this allocator needs no regular call.
#[cfg(not(all(feature = "sized-jemalloc", unix)))]
pub const UPKEEP: Option<fn()> = None;

/// Returns no figures: this allocator does not report any.
#[cfg(not(all(feature = "jemalloc", unix)))]
#[must_use]
pub fn figures() -> Vec<(&'static str, u64)> {
    Vec::new()
}

/// The allocator that a program installed as its global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalAllocator {
    /// None installed: Rust's default, the C library's `malloc`.
    System,
    /// jemalloc, through tikv-jemallocator.
    #[cfg(all(feature = "jemalloc", unix))]
    Jemalloc,
}

impl GlobalAllocator {
    /// The variant for [`Chosen`].
    #[cfg(all(feature = "jemalloc", unix))]
    pub const CHOSEN: Self = Self::Jemalloc;
    /// The variant for [`Chosen`].
    #[cfg(not(all(feature = "jemalloc", unix)))]
    pub const CHOSEN: Self = Self::System;
}

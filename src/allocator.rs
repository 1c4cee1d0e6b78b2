//! The allocator that the features of this build choose.
//!
//! The library does not install it: that is for the program that uses it.

use crate::info::GlobalAllocator;

#[cfg(all(feature = "sized-jemalloc", unix))]
pub use sized_jemalloc::SizedJemalloc as Chosen;
#[cfg(not(all(feature = "jemalloc", unix)))]
pub use std::alloc::System as Chosen;
#[cfg(all(feature = "jemalloc", not(feature = "sized-jemalloc"), unix))]
pub use tikv_jemallocator::Jemalloc as Chosen;

/// What has to be called every second or so, so that memory that was freed goes back
/// to the system while the program rests. jemalloc alone leaves that to its callers.
#[cfg(all(feature = "sized-jemalloc", unix))]
pub(crate) const LOOK_AFTER: Option<fn()> = Some(sized_jemalloc::decay);
/// What has to be called every second or so: nothing for this allocator.
#[cfg(not(all(feature = "sized-jemalloc", unix)))]
pub(crate) const LOOK_AFTER: Option<fn()> = None;

impl GlobalAllocator {
    /// What [`Chosen`] is, to be named where the allocator is described.
    #[cfg(all(feature = "jemalloc", unix))]
    pub const CHOSEN: Self = Self::Jemalloc;
    /// What [`Chosen`] is, to be named where the allocator is described.
    #[cfg(not(all(feature = "jemalloc", unix)))]
    pub const CHOSEN: Self = Self::System;
}

//! What the `broker` executable is made of.
//!
//! [`allocator`] names the allocator that the features choose. [`info`] tells what a running build really consists of: its C library, how
//! it is linked, its allocator. [`workloads`] are the deterministic pieces of
//! work by which such builds are compared.

#![forbid(unsafe_code)]

pub mod allocator;
pub mod info;
pub mod protocol;
pub mod server;
pub mod workloads;

// Its symbols take the place of musl's; there is nothing to call.
#[cfg(all(feature = "fast-memory", target_os = "linux", target_env = "musl"))]
use fast_musl as _;

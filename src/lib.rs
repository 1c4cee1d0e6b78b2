//! What the `broker` executable is made of.
//!
//! [`allocator`] names the allocator that the features choose. [`info`] tells what a running build really consists of: its C library, how
//! it is linked, its allocator. [`load`] puts any NATS server under load.
//! [`workloads`] are the deterministic pieces of
//! work by which such builds are compared.

#![forbid(unsafe_code)]

pub mod allocator;
pub mod info;
pub mod load;
pub mod workloads;

// Its symbols take the place of musl's; there is nothing to call.
#[cfg(all(feature = "fast-musl", target_os = "linux", target_env = "musl"))]
use fast_musl as _;

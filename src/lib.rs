//! What the `broker` executable does and what it is made of.
//!
//! [`server`] serves clients of NATS, whose [`protocol`] it speaks; [`load`] puts
//! any server of NATS under load. [`allocator`] names the allocator that the
//! features choose. [`info`] tells what a running build really consists of: its C
//! library, how it is linked, its allocator. [`workloads`] are the deterministic
//! pieces of work by which such builds are compared.

#![forbid(unsafe_code)]

pub mod allocator;
pub mod info;
#[cfg(all(feature = "jemalloc", unix))]
mod jemalloc;
pub mod load;
pub mod protocol;
pub mod server;
pub mod workloads;

// Its symbols take the place of musl's; there is nothing to call.
#[cfg(all(feature = "fast-memory", target_os = "linux", target_env = "musl"))]
use fast_musl as _;

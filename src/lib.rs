//! What the `broker` executable is made of.
//!
//! [`info`] tells what a running build really consists of: its C library, how
//! it is linked, its allocator. [`workloads`] are the deterministic pieces of
//! work by which such builds are compared.

#![forbid(unsafe_code)]

pub mod info;
pub mod workloads;

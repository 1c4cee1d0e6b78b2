//! Fast memory routines and `getrandom` for programs that are linked statically with musl.
//!
//! `use fast_musl as _;` is all it takes. Elsewhere than on Linux with musl, this crate is empty.
//!
//! It must be optimised in debug builds as well: musl's `posix_spawn` (behind `std::process::Command`)
//! runs its child on five kilobytes of stack, which the routines exceed otherwise. In the manifest of
//! the workspace:
//!
//! ```toml
//! [profile.dev.package.fast-musl]
//! opt-level = 3
//! ```
#![no_std]
#![no_builtins]

#[cfg(all(feature = "getrandom", target_os = "linux", target_env = "musl"))]
mod random;

#[cfg(all(feature = "memory", target_os = "linux", target_env = "musl"))]
pub mod memory;

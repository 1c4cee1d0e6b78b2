//! `getrandom` as a program sees it: through libc, in a static musl executable.
//!
//! What can only be seen where the kernel has the vDSO's function (6.11 and later) says so
//! otherwise, see [`tools::vdso_answers`].
#![cfg(all(feature = "getrandom", replaced))]

use fast_musl as _;

mod answers;
mod cancellation;
mod cost;
mod forks;
mod lookup;
mod signals;
mod system_calls;
mod threads;
mod tools;
#[path = "../../src/random/vdso.rs"]
mod vdso;

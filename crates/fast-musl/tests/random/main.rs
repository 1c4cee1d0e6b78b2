//! `getrandom` as a program sees it: through libc, in a static musl executable.
//!
//! Tests that need the vDSO's function (Linux 6.11 and later) print a note without it, see
//! [`tools::vdso_answers`].
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

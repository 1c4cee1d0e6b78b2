//! `getrandom` answered in user space by the kernel's vDSO (Linux 6.11 and later).
//!
//! The vDSO contains a generator that is keyed by the kernel and rekeyed whenever the kernel's own
//! generator is; it needs one small state per thread ([`states`]). Calls that it cannot answer, and
//! all calls before it may be used, go to the system call ([`sys::getrandom`]).
//!
//! Nothing here may panic, not even through optional arithmetic checks: with link-time optimisation
//! a `no_builtins` crate is linked apart from core, and then core's panics are not found. Functions
//! that C calls are `C-unwind` for the same reason, though none unwinds: `C` makes the compiler add
//! a panic against unwinding wherever it cannot see that (other codegen units, no optimiser).
//! Nothing with a destructor is moved, as arrays are by `map` or `into_iter`.
//!
//! Sources: the kernel's `lib/vdso/getrandom.c` (contract in the comment above
//! `__cvdso_getrandom_data`), `include/uapi/linux/random.h`, getrandom(2).
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

mod start;
mod states;
mod sys;
mod vdso;

use core::ffi::{c_uint, c_void};

note!("getrandom");

/// Accept bytes even if the kernel's generator was never seeded.
const INSECURE: c_uint = 4;

/// The first value of `flags` that the kernel may refuse: `GRND_RANDOM | GRND_INSECURE` (6) is
/// invalid to the system call though not to the vDSO, and so are all unknown bits (from 8 on).
/// Below are `GRND_NONBLOCK` (1), `GRND_RANDOM` (2), `GRND_INSECURE` (4), 3 and 5.
const FIRST_REFUSABLE: c_uint = 6;

/// Fills `buf` with up to `len` random bytes and returns how many; -1 and `errno` on failure.
///
/// Like musl's, it is a cancellation point, and safe to call from a signal handler. Unlike in musl,
/// a `buf` that is not writable faults instead of setting `EFAULT`; musl's own
/// `PTHREAD_CANCEL_MASKED` gets `ECANCELED` only from a system call; and in a program that loads
/// libc.so, a call that blocks because the kernel's generator is not seeded is cancelled only after
/// it has finished.
///
/// # Safety
///
/// `buf` is valid for writes of `len` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C-unwind" fn getrandom(
    buf: *mut c_void,
    len: usize,
    flags: c_uint,
) -> isize {
    // A cancellation point acts on a pending request even if it would not block. The code up to the
    // system call cannot block, so checking once is enough.
    sys::pthread_testcancel();

    if flags < FIRST_REFUSABLE
        && let Some(slot) = states::mine()
        // SAFETY: the caller vouches for `buf` and `len`; `mine` returned this thread's own slot.
        && let Some(result) = unsafe { slot.fill(buf, len, flags) }
    {
        return sys::returned(result);
    }

    // SAFETY: the caller vouches for `buf` and `len`.
    let result = unsafe { sys::getrandom(buf, len, flags) };
    if result > 0 && flags & INSECURE == 0 {
        // The kernel's generator is seeded and stays so: from here on the vDSO never blocks. Before
        // that, it would block in a system call that is not a cancellation point.
        states::allow();
        start::keep();
    }
    sys::returned(result)
}

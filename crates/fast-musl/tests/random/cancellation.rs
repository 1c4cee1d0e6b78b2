//! `getrandom` is a cancellation point, as in musl.

use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, Ordering};
use std::{mem, ptr};

use crate::tools::{draw, fill, forbid_system_call, isolated};

unsafe extern "C" {
    fn pthread_setcancelstate(state: i32, before: *mut i32) -> i32;
}

/// musl's values.
const ENABLE: i32 = 0;
const DISABLE: i32 = 1;
const CANCELED: *mut c_void = ptr::without_provenance_mut(usize::MAX);

static DRAWN: AtomicI32 = AtomicI32::new(0);

/// Draws with a cancellation pending: first with cancellation disabled, then enabled.
extern "C" fn cancelled_by_itself(_: *mut c_void) -> *mut c_void {
    // SAFETY: this thread has nothing on its stack that must be dropped.
    unsafe {
        pthread_setcancelstate(DISABLE, ptr::null_mut());
        libc::pthread_cancel(libc::pthread_self());
        for _ in 0..10 {
            draw();
            DRAWN.fetch_add(1, Ordering::Relaxed);
        }
        pthread_setcancelstate(ENABLE, ptr::null_mut());
    }
    fill::<16>(0);
    DRAWN.store(-1, Ordering::Relaxed);
    ptr::null_mut()
}

/// Blocks in the system call, which unknown flags lead to, until it is cancelled.
extern "C" fn blocked(_: *mut c_void) -> *mut c_void {
    fill::<16>(8);
    ptr::null_mut()
}

#[test]
fn a_pending_cancellation_is_acted_on() {
    draw();
    assert_eq!(result_of(cancelled_by_itself, |_| {}), CANCELED);
    assert_eq!(DRAWN.load(Ordering::Relaxed), 10);
}

#[test]
fn a_blocked_call_is_cancelled() {
    isolated("cancellation::a_blocked_call_is_cancelled", || {
        forbid_system_call(libc::SECCOMP_RET_USER_NOTIF);
        // SAFETY: an alarm ends the process; the thread is valid until it is joined.
        let result = unsafe {
            libc::alarm(20);
            result_of(blocked, |thread| {
                libc::usleep(50_000);
                assert_eq!(libc::pthread_cancel(thread), 0);
            })
        };
        assert_eq!(result, CANCELED);
    });
}

/// Returns a thread's result.
fn result_of(
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    meanwhile: impl FnOnce(libc::pthread_t),
) -> *mut c_void {
    // SAFETY: the thread is our own and joined; the attributes are the defaults.
    unsafe {
        let mut thread = mem::zeroed();
        let made = libc::pthread_create(&raw mut thread, ptr::null(), start, ptr::null_mut());
        assert_eq!(made, 0);
        meanwhile(thread);
        let mut result = ptr::null_mut();
        assert_eq!(libc::pthread_join(thread, &raw mut result), 0);
        result
    }
}

//! Signal handlers that draw while they interrupt a draw.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{mem, ptr, thread};

use crate::tools::{assert_distinct, draw, isolated};

/// Installs `handler`; system calls are restarted.
pub(crate) fn on_signal(signal: i32, handler: extern "C" fn(i32)) {
    // SAFETY: zeros are a valid action; the handler has the type for actions without SA_SIGINFO.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(
            libc::sigaction(signal, &raw const action, ptr::null_mut()),
            0
        );
    }
}

/// Sends a signal repeatedly to the thread that started it.
pub(crate) struct Timer(libc::timer_t);

impl Timer {
    pub(crate) fn start(signal: i32, nanoseconds: i64) -> Self {
        let interval = libc::timespec {
            tv_sec: 0,
            tv_nsec: nanoseconds,
        };
        let setting = libc::itimerspec {
            it_interval: interval,
            it_value: interval,
        };
        // SAFETY: zeros are a valid event; the timer's number is written before it is used.
        unsafe {
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = signal;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer = ptr::null_mut();
            let made = libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer);
            assert_eq!(made, 0);
            assert_eq!(
                libc::timer_settime(timer, 0, &raw const setting, ptr::null_mut()),
                0
            );
            Self(timer)
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer is ours, and is deleted once.
        unsafe { libc::timer_delete(self.0) };
    }
}

const ROOM: usize = 1_000_000;

/// The values that handlers draw, from all threads.
struct Log(UnsafeCell<[u128; ROOM]>);

// SAFETY: each element is written by the one handler that got its index, and read at the end.
unsafe impl Sync for Log {}

static LOG: Log = Log(UnsafeCell::new([0; ROOM]));
static LOGGED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn draw_and_log(_: i32) {
    let index = LOGGED.fetch_add(1, Ordering::Relaxed);
    if index < ROOM {
        // SAFETY: in bounds, and no other handler has this index.
        unsafe { LOG.0.get().cast::<u128>().add(index).write(draw()) };
    }
}

#[test]
fn handlers_draw_other_values_than_what_they_interrupt() {
    isolated(
        "signals::handlers_draw_other_values_than_what_they_interrupt",
        || {
            const EACH: usize = 1_000_000;
            on_signal(libc::SIGALRM, draw_and_log);
            let mut values = vec![0_u128; 4 * EACH];
            thread::scope(|scope| {
                for part in values.chunks_mut(EACH) {
                    scope.spawn(move || {
                        // Before the first draw, so it also interrupts the claiming of a state.
                        let timer = Timer::start(libc::SIGALRM, 50_000);
                        part.fill_with(draw);
                        drop(timer);
                    });
                }
            });
            let logged = LOGGED.load(Ordering::Relaxed).min(ROOM);
            println!("{logged} draws in handlers");
            assert!(logged > 500, "hardly a signal came");
            // SAFETY: all threads have ended, and with them their handlers.
            let log = unsafe { &*LOG.0.get() };
            values.extend_from_slice(&log[..logged]);
            assert_distinct(values);
        },
    );
}

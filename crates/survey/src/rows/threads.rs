//! Threads and their synchronization.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Barrier};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use super::{Calls, Row, Timed, repeat};
use crate::measure::Clock;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::wall("threads: pthread_create and join", create_and_join),
        Row::wall("threads: std's spawn and join", || {
            repeat(|| thread::spawn(|| ()).join())
        }),
        Row::cpu("threads: mutex, uncontended", || {
            let mutex = Mutex::new();
            repeat(move || mutex.with(|| ()))
        }),
        Row::timed("threads: mutex, several threads", || {
            let mutex = Arc::new(Mutex::new());
            several(move || {
                let mutex = Arc::clone(&mutex);
                repeat(move || mutex.with(|| ()))
            })
        }),
        Row::cpu("threads: rwlock, read, uncontended", rwlock),
        Row::cpu("threads: pthread_getspecific", getspecific),
        Row::timed("threads: condition variable, there and back", ping_pong),
    ]
}

/// Returns the number of threads in rows with several: the CPUs, from 2 to 4.
fn count() -> usize {
    thread::available_parallelism()
        .map_or(2, usize::from)
        .clamp(2, 4)
}

/// Several threads make all calls at the same time. The result is the mean of their times, from
/// when all have started.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the preparation of a row may fail"
)]
pub(super) fn several(
    prepare: impl Fn() -> io::Result<Calls> + Sync + 'static,
) -> io::Result<Timed> {
    let count = count();
    Ok(Box::new(move |times| {
        let start = Barrier::new(count);
        let timed = || {
            let mut calls = prepare().expect("rows with several threads cannot fail to prepare");
            start.wait();
            Clock::Wall.time(|| calls(times))
        };
        let all: Duration = thread::scope(|scope| {
            let threads: Vec<_> = (0..count).map(|_| scope.spawn(timed)).collect();
            let joined = threads.into_iter().map(ScopedJoinHandle::join);
            joined.map(|time| time.expect("no call panics")).sum()
        });
        all / u32::try_from(count).unwrap_or(1)
    }))
}

fn create_and_join() -> io::Result<Calls> {
    extern "C" fn nothing(argument: *mut c_void) -> *mut c_void {
        argument
    }
    repeat(|| {
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the thread touches nothing, and is joined once if it was created.
        unsafe {
            assert_eq!(
                libc::pthread_create(thread.as_mut_ptr(), null(), nothing, null_mut()),
                0
            );
            assert_eq!(libc::pthread_join(thread.assume_init(), null_mut()), 0);
        }
    })
}

fn rwlock() -> io::Result<Calls> {
    let lock = Box::new(UnsafeCell::new(libc::PTHREAD_RWLOCK_INITIALIZER));
    repeat(move || {
        // SAFETY: it is initialised, does not move, and is released by the thread that locked it.
        unsafe {
            libc::pthread_rwlock_rdlock(lock.get());
            libc::pthread_rwlock_unlock(lock.get())
        }
    })
}

fn getspecific() -> io::Result<Calls> {
    let mut key = 0;
    // SAFETY: it only writes the key.
    let error = unsafe { libc::pthread_key_create(&raw mut key, None) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: the key exists.
    repeat(move || unsafe { libc::pthread_getspecific(key) })
}

/// A C mutex.
struct Mutex(Box<UnsafeCell<libc::pthread_mutex_t>>);

// SAFETY: a mutex may be shared between threads.
unsafe impl Sync for Mutex {}
// SAFETY: it is used by its address, which does not change.
unsafe impl Send for Mutex {}

impl Mutex {
    fn new() -> Self {
        Self(Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER)))
    }

    fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: it is initialised.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
        let result = work();
        // SAFETY: this thread has locked it.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        result
    }
}

/// Which of two threads may go on.
struct Turn {
    mutex: Mutex,
    changed: Box<UnsafeCell<libc::pthread_cond_t>>,
    second: UnsafeCell<bool>,
}

// SAFETY: `second` is used under the mutex, and a condition variable may be shared.
unsafe impl Sync for Turn {}

impl Turn {
    fn new() -> Self {
        Self {
            mutex: Mutex::new(),
            changed: Box::new(UnsafeCell::new(libc::PTHREAD_COND_INITIALIZER)),
            second: UnsafeCell::new(false),
        }
    }

    /// Waits for the turn of one thread, and passes it to the other.
    fn pass(&self, second: bool) {
        // SAFETY: the mutex is locked while `second` is used and when the wait begins.
        self.mutex.with(|| unsafe {
            while *self.second.get() != second {
                libc::pthread_cond_wait(self.changed.get(), self.mutex.0.get());
            }
            *self.second.get() = !second;
            libc::pthread_cond_signal(self.changed.get());
        });
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "the preparation of a row may fail"
)]
fn ping_pong() -> io::Result<Timed> {
    Ok(Box::new(|times| {
        let turn = Turn::new();
        thread::scope(|scope| {
            scope.spawn(|| (0..times + 2).for_each(|_| turn.pass(true)));
            // The second of these waits until the other thread has started.
            (0..2).for_each(|_| turn.pass(false));
            Clock::Wall.time(|| (0..times).for_each(|_| turn.pass(false)))
        })
    }))
}

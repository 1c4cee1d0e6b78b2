//! Parent and child draw different values, whatever the parent was doing.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};
use std::sync::{Arc, Barrier};
use std::{ptr, thread};

use crate::signals::{Timer, on_signal};
use crate::tools::{
    assert_distinct, die, draw, in_child, in_thread_of_libc, isolated, shared, states_kib,
    vdso_answers, wait,
};

#[test]
fn parent_and_child_differ() {
    isolated("forks::parent_and_child_differ", || {
        const EACH: usize = 100;
        let mut values: Vec<u128> = (0..EACH).map(|_| draw()).collect();
        let theirs = shared(EACH);
        for _ in 0..200 {
            let status = in_child(|| theirs.fill_with(draw));
            assert_eq!(status, 0);
            values.extend_from_slice(theirs);
            // The parent's next values, of which the next child inherits the state.
            values.extend((0..3).map(|_| draw()));
        }
        assert_distinct(values);
    });
}

#[test]
fn a_child_of_a_busy_parent_draws() {
    isolated("forks::a_child_of_a_busy_parent_draws", || {
        const EACH: usize = 40;
        let stop = AtomicBool::new(false);
        let theirs = shared(2 * EACH);
        let (in_thread, in_main) = theirs.split_at_mut(EACH);
        let mut values = Vec::new();
        thread::scope(|scope| {
            // Threads that draw, and threads that constantly claim and release states.
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        draw();
                    }
                });
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        thread::scope(|inner| {
                            for _ in 0..4 {
                                inner.spawn(draw);
                            }
                        });
                    }
                });
            }
            for _ in 0..300 {
                let status = in_child(|| {
                    in_thread_of_libc(|| in_thread.fill_with(draw));
                    in_main.fill_with(draw);
                });
                if status != 0 {
                    die(&format!("a child ended with status {status}; 14: it hung"));
                }
                values.extend_from_slice(in_thread);
                values.extend_from_slice(in_main);
                values.push(draw());
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_distinct(values);
    });
}

/// Runs `count` threads that all have a state at the same time.
fn threads_at_once(count: usize) {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                draw();
                barrier.wait();
            });
        }
    });
}

#[test]
fn a_child_reuses_the_states_of_threads_it_has_not() {
    const NAME: &str = "forks::a_child_reuses_the_states_of_threads_it_has_not";
    if !vdso_answers(NAME) {
        return;
    }
    isolated(NAME, || {
        // The first draw is a system call, the second has a state.
        draw();
        draw();
        let block = states_kib();
        assert!(block > 0, "the vDSO is not used");
        let barrier = Arc::new(Barrier::new(201));
        for _ in 0..200 {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                draw();
                barrier.wait();
                barrier.wait();
            });
        }
        barrier.wait();
        let before = states_kib();
        let status = in_child(|| {
            // All states except the one that this thread had at the fork.
            let others = before / block * 64 - 1;
            threads_at_once(others);
            if states_kib() != before {
                die("states of threads that are gone were not reused");
            }
            threads_at_once(others + 1);
            if states_kib() != before + block {
                die("a state that is in use was given away");
            }
        });
        assert_eq!(status, 0);
        barrier.wait();
    });
}

/// The end of the buffer that is being filled; null when no fork should happen.
static LAST: AtomicPtr<u128> = AtomicPtr::new(ptr::null_mut());
static CHILD: AtomicI32 = AtomicI32::new(NO_FORK);
const NO_FORK: i32 = -1;

/// Forks inside a signal handler, once, if it interrupts an unfinished call, and draws in the
/// child, where the fork has wiped the call's state.
extern "C" fn fork_and_draw(_: i32) {
    let last = LAST.load(Ordering::Relaxed);
    // SAFETY: the buffer lives while `LAST` points into it; the kernel's writes and this read are
    // on one thread.
    if last.is_null() || unsafe { last.read_volatile() } != 0 {
        return;
    }
    LAST.store(ptr::null_mut(), Ordering::Relaxed);
    // SAFETY: the interrupted thread holds no lock; it is in getrandom or about to call it.
    let child = unsafe { libc::fork() };
    if child == 0 {
        draw();
    }
    CHILD.store(child, Ordering::Relaxed);
}

#[test]
fn a_fork_within_a_call_gives_two_different_results() {
    const NAME: &str = "forks::a_fork_within_a_call_gives_two_different_results";
    const LEN: usize = 8_192;
    const SIZE: usize = LEN * size_of::<u128>();
    isolated(NAME, || {
        // A process begins with a system call, which a signal may interrupt.
        draw();
        on_signal(libc::SIGALRM, fork_and_draw);
        let theirs = shared(LEN);
        let mut ours = vec![0_u128; LEN];
        let timer = Timer::start(libc::SIGALRM, 50_000);
        for _ in 0..300 {
            CHILD.store(NO_FORK, Ordering::Relaxed);
            while CHILD.load(Ordering::Relaxed) == NO_FORK {
                ours.fill(0);
                LAST.store(&raw mut ours[LEN - 1], Ordering::Relaxed);
                // SAFETY: the buffer has that size.
                let result = unsafe { libc::getrandom(ours.as_mut_ptr().cast(), SIZE, 0) };
                LAST.store(ptr::null_mut(), Ordering::Relaxed);
                assert_eq!(result, SIZE.cast_signed());
            }
            let child = CHILD.load(Ordering::Relaxed);
            if child == 0 {
                theirs.copy_from_slice(&ours);
                // SAFETY: ends the child.
                unsafe { libc::_exit(0) };
            }
            assert_eq!(wait(child), 0);
            assert_distinct([&ours, &*theirs].concat());
        }
        drop(timer);
    });
}

//! Clocks and calendars.

use std::hint::black_box;
use std::io;
use std::mem::MaybeUninit;

use super::{Calls, Row, repeat};

unsafe extern "C" {
    // The `libc` crate does not declare it for any Unix.
    fn tzset();
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::cpu("time: clock_gettime MONOTONIC", || {
            clock(libc::CLOCK_MONOTONIC)
        }),
        Row::cpu("time: clock_gettime REALTIME", || {
            clock(libc::CLOCK_REALTIME)
        }),
        Row::cpu("time: localtime_r", || {
            set_zone();
            let mut seconds = SOME_TIME;
            repeat(move || {
                seconds += 3601;
                local(seconds)
            })
        }),
        Row::cpu("time: mktime", mktime),
        Row::cpu("time: strftime", strftime),
    ]
}

fn clock(clock: libc::clockid_t) -> io::Result<Calls> {
    repeat(move || {
        let mut time = MaybeUninit::uninit();
        // SAFETY: it only writes to the timespec.
        let error = unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) };
        assert_eq!(error, 0);
        // SAFETY: it was written, because there is no error.
        unsafe { time.assume_init() }.tv_nsec
    })
}

/// A time in November 2026.
const SOME_TIME: i64 = 1_795_000_000;

/// Sets a time zone with summer time that needs no zone file.
fn set_zone() {
    // SAFETY: no other thread uses the environment.
    unsafe {
        libc::setenv(c"TZ".as_ptr(), c"CET-1CEST,M3.5.0,M10.5.0/3".as_ptr(), 1);
        tzset();
    }
}

fn local(seconds: i64) -> libc::tm {
    let mut parts = MaybeUninit::uninit();
    // SAFETY: it reads a number and writes a time.
    let result = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
    assert!(!result.is_null());
    // SAFETY: it was written, because the result is not null.
    unsafe { parts.assume_init() }
}

fn mktime() -> io::Result<Calls> {
    set_zone();
    let parts = local(SOME_TIME);
    repeat(move || {
        let mut parts = black_box(parts);
        // SAFETY: it reads and writes a time.
        let seconds = unsafe { libc::mktime(&raw mut parts) };
        assert_eq!(seconds, SOME_TIME);
    })
}

fn strftime() -> io::Result<Calls> {
    set_zone();
    let (parts, mut text) = (local(SOME_TIME), [0; 64]);
    repeat(move || {
        let format = c"%Y-%m-%d %H:%M:%S %z";
        // SAFETY: the text has room for 64 bytes, and the format is a string.
        let length = unsafe {
            libc::strftime(
                text.as_mut_ptr(),
                text.len(),
                format.as_ptr(),
                black_box(&raw const parts),
            )
        };
        assert_eq!(length, 25);
    })
}

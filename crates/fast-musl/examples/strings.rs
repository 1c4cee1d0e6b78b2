//! Prints nanoseconds per call of the string routines in this executable, or ratios to another
//! build.
//!
//!     cargo build --release --example strings --target x86_64-unknown-linux-musl
//!     cp target/x86_64-unknown-linux-musl/release/examples/strings /tmp/fast
//!     cargo build --release --example strings --target x86_64-unknown-linux-gnu
//!     /tmp/fast target/x86_64-unknown-linux-gnu/release/examples/strings
//!
//! The second build has glibc's routines; with `--no-default-features` and the first target it has
//! musl's. The two run in turns, and the table has the median of each round's ratio: below 1, the
//! first is faster.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::hint::black_box;
use std::{error, io};

mod turns;

#[cfg(all(target_os = "linux", target_env = "musl"))]
use fast_musl as _;

unsafe extern "C" {
    fn strlen(s: *const c_char) -> usize;
    fn strnlen(s: *const c_char, n: usize) -> usize;
    fn memchr(s: *const c_void, byte: c_int, n: usize) -> *mut c_void;
    fn memrchr(s: *const c_void, byte: c_int, n: usize) -> *mut c_void;
    fn strchr(s: *const c_char, byte: c_int) -> *mut c_char;
    fn strchrnul(s: *const c_char, byte: c_int) -> *mut c_char;
    fn strcmp(a: *const c_char, b: *const c_char) -> c_int;
    fn strncmp(a: *const c_char, b: *const c_char, n: usize) -> c_int;
    fn strcasecmp(a: *const c_char, b: *const c_char) -> c_int;
    fn strncasecmp(a: *const c_char, b: *const c_char, n: usize) -> c_int;
    fn strrchr(s: *const c_char, byte: c_int) -> *mut c_char;
    fn strspn(s: *const c_char, set: *const c_char) -> usize;
    fn strcspn(s: *const c_char, set: *const c_char) -> usize;
    fn strpbrk(s: *const c_char, set: *const c_char) -> *mut c_char;
    fn strstr(s: *const c_char, word: *const c_char) -> *mut c_char;
    fn strcpy(dst: *mut c_char, s: *const c_char) -> *mut c_char;
    fn stpcpy(dst: *mut c_char, s: *const c_char) -> *mut c_char;
    fn strncpy(dst: *mut c_char, s: *const c_char, n: usize) -> *mut c_char;
    fn strncat(dst: *mut c_char, s: *const c_char, n: usize) -> *mut c_char;
    fn memccpy(dst: *mut c_void, s: *const c_void, byte: c_int, n: usize) -> *mut c_void;
    fn strlcpy(dst: *mut c_char, s: *const c_char, n: usize) -> usize;
    fn memmem(s: *const c_void, n: usize, needle: *const c_void, k: usize) -> *mut c_void;
}

const NAMES: [&str; 22] = [
    "strlen",
    "strnlen",
    "memchr",
    "memrchr",
    "strchr",
    "strchrnul",
    "strrchr",
    "strspn",
    "strcspn",
    "strpbrk",
    "strcmp",
    "strncmp",
    "strcasecmp",
    "strncasecmp",
    "strcpy",
    "stpcpy",
    "strncpy",
    "strncat",
    "strlcpy",
    "memccpy",
    "memmem",
    "strstr",
];

/// Letters that occur in the strings, in an order that does not.
const NEEDLE: &CStr = c"etaoin#shrdlu";

fn main() -> Result<(), Box<dyn error::Error>> {
    turns::take(&NAMES, measure)
}

/// Measures all routines with all lengths.
fn measure() -> io::Result<Vec<(String, f64)>> {
    let mut results = Vec::new();
    for (lengths, mut plan) in plans() {
        for name in NAMES {
            let per_call = turns::median(plan.calls.len(), || pass(name, &mut plan))?;
            results.push((format!("{name} {lengths}"), per_call));
        }
    }
    Ok(results)
}

/// The data and calls of a pass.
struct Plan {
    /// The same strings at different addresses, and room for copies.
    a: Vec<u8>,
    b: Vec<u8>,
    /// Digits instead of the letters of `a`.
    digits: Vec<u8>,
    to: Vec<u8>,
    /// Offsets of a string in both, and its length.
    calls: Vec<(usize, usize, usize)>,
}

/// One length at a time, and lengths up to 128 in random order.
fn plans() -> Vec<(String, Plan)> {
    let mut state = 1_u64;
    let mut below = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % n
    };
    // So few strings that all of them are in the first-level cache.
    let mut plan = |lengths: &[usize], calls: usize| {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let strings: Vec<_> = lengths
            .iter()
            .map(|&n| {
                let string: Vec<u8> = (0..n)
                    .map(|_| b"abcdefghijklmnopqrstuvwxyz"[below(26)])
                    .chain([0])
                    .collect();
                let mut place = |all: &mut Vec<u8>| {
                    all.resize(all.len() + below(64), b'.');
                    let at = all.len();
                    all.extend(&string);
                    at
                };
                (place(&mut a), place(&mut b), n)
            })
            .collect();
        let calls = (0..calls)
            .map(|i| {
                let shuffled = strings.len() > 64;
                strings[if shuffled {
                    below(strings.len())
                } else {
                    i % strings.len()
                }]
            })
            .collect();
        Plan {
            to: vec![0; b.len()],
            digits: a
                .iter()
                .map(|&byte| if byte == 0 { 0 } else { b'0' + byte % 10 })
                .collect(),
            a,
            b,
            calls,
        }
    };
    let mut plans = Vec::new();
    // So many calls that reading the clock does not matter.
    for (n, strings, calls) in [(16, 16, 16_384), (128, 16, 16_384), (4096, 2, 1024)] {
        plans.push((format!("{n:07}"), plan(&vec![n; strings], calls)));
    }
    let mixed: Vec<usize> = (0..128).collect();
    // More calls than a branch predictor can learn.
    plans.push(("0-127 mixed".to_owned(), plan(&mixed, 262_144)));
    plans
}

/// Returns this thread's nanoseconds for one pass.
fn pass(name: &str, plan: &mut Plan) -> io::Result<u64> {
    let (a, b, to) = (plan.a.as_ptr(), plan.b.as_ptr(), plan.to.as_mut_ptr());
    let (digits, calls) = (plan.digits.as_ptr(), &plan.calls);
    let absent = c_int::from(b'#');
    let start = turns::now()?;
    match name {
        "strlen" => each(calls, |at, _, _| {
            // SAFETY: all strings are in the plan, at these places; likewise below.
            black_box(unsafe { strlen(a.add(at).cast()) });
        }),
        "strnlen" => each(calls, |at, _, n| {
            // SAFETY: see above.
            black_box(unsafe { strnlen(a.add(at).cast(), n + 100) });
        }),
        "memchr" => each(calls, |at, _, n| {
            // SAFETY: see above.
            black_box(unsafe { memchr(a.add(at).cast(), 0, n + 1) });
        }),
        "memrchr" => each(calls, |at, _, n| {
            // SAFETY: see above.
            black_box(unsafe { memrchr(a.add(at).cast(), absent, n) });
        }),
        "strchr" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strchr(a.add(at).cast(), absent) });
        }),
        "strchrnul" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strchrnul(a.add(at).cast(), absent) });
        }),
        "strrchr" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strrchr(a.add(at).cast(), absent) });
        }),
        "strspn" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strspn(digits.add(at).cast(), c"0123456789".as_ptr()) });
        }),
        "strcspn" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strcspn(a.add(at).cast(), c" ,;#".as_ptr()) });
        }),
        "strpbrk" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strpbrk(a.add(at).cast(), c" ,;#".as_ptr()) });
        }),
        "strcmp" => each(calls, |at, other, _| {
            // SAFETY: see above.
            black_box(unsafe { strcmp(a.add(at).cast(), b.add(other).cast()) });
        }),
        "strncmp" => each(calls, |at, other, n| {
            // SAFETY: see above.
            black_box(unsafe { strncmp(a.add(at).cast(), b.add(other).cast(), n) });
        }),
        "strcasecmp" => each(calls, |at, other, _| {
            // SAFETY: see above.
            black_box(unsafe { strcasecmp(a.add(at).cast(), b.add(other).cast()) });
        }),
        "strncasecmp" => each(calls, |at, other, n| {
            // SAFETY: see above.
            black_box(unsafe { strncasecmp(a.add(at).cast(), b.add(other).cast(), n) });
        }),
        "strcpy" => each(calls, |at, other, _| {
            // SAFETY: see above.
            black_box(unsafe { strcpy(to.add(other).cast(), a.add(at).cast()) });
        }),
        "stpcpy" => each(calls, |at, other, _| {
            // SAFETY: see above.
            black_box(unsafe { stpcpy(to.add(other).cast(), a.add(at).cast()) });
        }),
        "strncpy" => each(calls, |at, other, n| {
            // SAFETY: see above; the copy ends with the zero.
            black_box(unsafe { strncpy(to.add(other).cast(), a.add(at).cast(), n + 1) });
        }),
        "strncat" => each(calls, |at, other, n| {
            // SAFETY: see above.
            unsafe {
                to.add(other).write(0);
                black_box(strncat(to.add(other).cast(), a.add(at).cast(), n));
            }
        }),
        "strlcpy" => each(calls, |at, other, n| {
            // SAFETY: see above.
            black_box(unsafe { strlcpy(to.add(other).cast(), a.add(at).cast(), n + 1) });
        }),
        "memccpy" => each(calls, |at, other, n| {
            // SAFETY: see above.
            black_box(unsafe { memccpy(to.add(other).cast(), a.add(at).cast(), 0, n + 1) });
        }),
        "strstr" => each(calls, |at, _, _| {
            // SAFETY: see above.
            black_box(unsafe { strstr(a.add(at).cast(), NEEDLE.as_ptr()) });
        }),
        _ => each(calls, |at, _, n| {
            let needle = NEEDLE.to_bytes();
            // SAFETY: see above.
            black_box(unsafe { memmem(a.add(at).cast(), n, needle.as_ptr().cast(), needle.len()) });
        }),
    }
    Ok(turns::now()? - start)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the calls should be direct ones")]
fn each(calls: &[(usize, usize, usize)], call: impl Fn(usize, usize, usize)) {
    for &(at, other, n) in calls {
        call(at, other, n);
    }
}

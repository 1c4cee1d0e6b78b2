//! Prints nanoseconds per call of the memory routines in this executable, or ratios to another
//! build.
//!
//!     cargo build --release --example memory --target x86_64-unknown-linux-musl
//!     cp target/x86_64-unknown-linux-musl/release/examples/memory /tmp/fast
//!     cargo build --release --example memory --target x86_64-unknown-linux-musl --no-default-features
//!     /tmp/fast target/x86_64-unknown-linux-musl/release/examples/memory
//!
//! The second build has musl's routines. The two run in turns, and the table has the median of each
//! round's ratio: below 1, the first is faster. Any program that prints the same lines can be the
//! second, such as this one linked with another libc's routines.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::{error, io};

mod turns;

#[cfg(all(target_os = "linux", target_env = "musl"))]
use fast_musl as _;

unsafe extern "C" {
    fn memcpy(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void;
    fn memmove(dst: *mut c_void, src: *const c_void, n: usize) -> *mut c_void;
    fn memset(dst: *mut c_void, byte: c_int, n: usize) -> *mut c_void;
    fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
    fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
}

const NAMES: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];

/// Bytes: each power of four, and the thresholds of the routines.
const LENGTHS: [usize; 22] = [
    1,
    4,
    8,
    16,
    32,
    42,
    64,
    128,
    192,
    256,
    512,
    1 << 10,
    2 << 10,
    4 << 10,
    8 << 10,
    16 << 10,
    32 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    8 << 20,
    64 << 20,
];

fn main() -> Result<(), Box<dyn error::Error>> {
    turns::take(&NAMES, measure)
}

/// Measures all routines with all lengths.
fn measure() -> io::Result<Vec<(String, f64)>> {
    let (mut a, mut b) = (vec![0_u8; 65 << 20], vec![0_u8; 65 << 20]);
    let mut results = Vec::new();
    for name in NAMES {
        for (lengths, plan) in plans() {
            a.fill(0);
            b.fill(0);
            let per_call = turns::median(plan.len(), || pass(name, &mut a, &mut b, &plan))?;
            results.push((format!("{name} {lengths}"), per_call));
        }
    }
    Ok(results)
}

/// The calls of a pass: offsets into both areas, and a length.
type Plan = Vec<(usize, usize, usize)>;

/// One length at a time, and lengths from 1 to 128 in random order.
fn plans() -> Vec<(String, Plan)> {
    let fixed = LENGTHS.into_iter().map(|n| {
        let calls = (8_usize << 20).div_ceil(n).min(2048);
        let plan = (0..calls)
            .map(|i| (i * 96 % 4096, i * 80 % 4096, n))
            .collect();
        (format!("{n:08}"), plan)
    });
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % n).unwrap_or(0)
    };
    // More calls than a branch predictor can learn.
    let mixed = (0..262_144)
        .map(|_| (below(8192), below(8192), 1 + below(128)))
        .collect();
    fixed.chain([("1-128 mixed".to_owned(), mixed)]).collect()
}

/// Returns this thread's nanoseconds for one pass.
fn pass(name: &str, a: &mut [u8], b: &mut [u8], plan: &Plan) -> io::Result<u64> {
    let (to, from) = (a.as_mut_ptr(), b.as_mut_ptr());
    let start = turns::now()?;
    match name {
        "memcpy" => each(plan, |at, other, n| {
            // SAFETY: the plans stay within 65 MiB; likewise below.
            black_box(unsafe { memcpy(to.add(at).cast(), from.add(other).cast(), n) });
        }),
        "memmove" => each(plan, |at, _, n| {
            // As when an element is removed from a vector.
            // SAFETY: see above.
            black_box(unsafe { memmove(to.add(at).cast(), to.add(at + 24).cast(), n) });
        }),
        "memset" => each(plan, |at, _, n| {
            // SAFETY: see above.
            black_box(unsafe { memset(to.add(at).cast(), 0, n) });
        }),
        "memcmp" => each(plan, |at, other, n| {
            // SAFETY: see above.
            black_box(unsafe { memcmp(to.add(at).cast(), from.add(other).cast(), n) });
        }),
        _ => each(plan, |at, other, n| {
            // SAFETY: see above.
            black_box(unsafe { bcmp(to.add(at).cast(), from.add(other).cast(), n) });
        }),
    }
    Ok(turns::now()? - start)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the calls should be direct ones")]
fn each(plan: &Plan, call: impl Fn(usize, usize, usize)) {
    for &(at, other, n) in plan {
        call(at, other, n);
    }
}

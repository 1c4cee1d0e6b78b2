//! Nanoseconds per call of the memory routines in this executable, or ratios to another build of it.
//!
//!     cargo build --release --example memory --target x86_64-unknown-linux-musl
//!     cp target/x86_64-unknown-linux-musl/release/examples/memory /tmp/fast
//!     cargo build --release --example memory --target x86_64-unknown-linux-musl --no-default-features
//!     /tmp/fast target/x86_64-unknown-linux-musl/release/examples/memory
//!
//! The second build has musl's routines. The two take turns, and the table has the median of each
//! round's ratio: below 1, the first is faster. Any program that prints the same lines can be the
//! second, such as this one linked with another libc's routines.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::process::Command;
use std::{env, error, io};

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
const ROUNDS: usize = 15;

fn main() -> Result<(), Box<dyn error::Error>> {
    match env::args_os().nth(1) {
        None => {
            for (what, time) in measure()? {
                println!("{what}\t{time:.3}");
            }
        }
        Some(other) => {
            let this = env::current_exe()?;
            let mut ratios = BTreeMap::<_, Vec<_>>::new();
            for round in 0..ROUNDS {
                let (mine, theirs) = if round % 2 == 0 {
                    let mine = run(Command::new(&this))?;
                    (mine, run(Command::new(&other))?)
                } else {
                    let theirs = run(Command::new(&other))?;
                    (run(Command::new(&this))?, theirs)
                };
                for ((what, mine), (_, theirs)) in mine.into_iter().zip(theirs) {
                    ratios.entry(what).or_default().push((mine / theirs, mine));
                }
            }
            println!("{:24} {:>8} {:>12}", "", "ratio", "ns per call");
            for name in NAMES {
                for (what, of_what) in ratios
                    .iter_mut()
                    .filter(|(what, _)| what.split(' ').next() == Some(name))
                {
                    of_what.sort_by(|a, b| a.0.total_cmp(&b.0));
                    let (ratio, time) = of_what[of_what.len() / 2];
                    println!("{what:24} {ratio:8.3} {time:12.2}");
                }
            }
        }
    }
    Ok(())
}

/// The lines that an executable prints.
fn run(mut command: Command) -> Result<Vec<(String, f64)>, Box<dyn error::Error>> {
    let output = command.output()?;
    let lines = String::from_utf8(output.stdout)?;
    lines
        .lines()
        .map(|line| {
            let (what, time) = line.split_once('\t').ok_or("not a line of this program")?;
            Ok((what.to_owned(), time.parse()?))
        })
        .collect()
}

/// All routines with all lengths.
fn measure() -> io::Result<Vec<(String, f64)>> {
    let (mut a, mut b) = (vec![0_u8; 2 << 20], vec![0_u8; 2 << 20]);
    let mut results = Vec::new();
    for name in NAMES {
        for (lengths, plan) in plans() {
            a.fill(0);
            b.fill(0);
            let once = pass(name, &mut a, &mut b, &plan)?.max(pass(name, &mut a, &mut b, &plan)?);
            // Enough passes for a fifth of a millisecond, and the median of several such.
            let passes = 200_000_u64.div_ceil(once.max(1));
            let mut times = Vec::new();
            for _ in 0..11 {
                let mut time = 0;
                for _ in 0..passes {
                    time += pass(name, &mut a, &mut b, &plan)?;
                }
                times.push(time);
            }
            times.sort_unstable();
            #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
            let per_call = times[times.len() / 2] as f64 / (passes * plan.len() as u64) as f64;
            results.push((format!("{name} {lengths}"), per_call));
        }
    }
    Ok(results)
}

/// What a pass over a plan does: offsets into both areas, and a length.
type Plan = Vec<(usize, usize, usize)>;

/// One length at a time, and lengths from 1 to 128 in no order.
fn plans() -> Vec<(String, Plan)> {
    let fixed = [16, 42, 256, 4096, 1 << 20].into_iter().map(|n| {
        let calls = if n > 4096 { 1 } else { 2048 };
        let plan = (0..calls)
            .map(|i| (i * 96 % 4096, i * 80 % 4096, n))
            .collect();
        (format!("{n:07}"), plan)
    });
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % n).unwrap_or(0)
    };
    // More calls than a branch predictor can learn.
    let mixed = (0..16_384)
        .map(|_| (below(8192), below(8192), 1 + below(128)))
        .collect();
    fixed.chain([("1-128 mixed".to_owned(), mixed)]).collect()
}

/// Nanoseconds of this thread for one pass.
fn pass(name: &str, a: &mut [u8], b: &mut [u8], plan: &Plan) -> io::Result<u64> {
    let (to, from) = (a.as_mut_ptr(), b.as_mut_ptr());
    let start = now()?;
    match name {
        "memcpy" => each(plan, |at, other, n| {
            // SAFETY: the plans stay within 2 MiB; likewise below.
            black_box(unsafe { memcpy(to.add(at).cast(), from.add(other).cast(), n) });
        }),
        "memmove" => each(plan, |at, _, n| {
            // As in a vector of which an element is removed.
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
    Ok(now()? - start)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the calls should be direct ones")]
fn each(plan: &Plan, call: impl Fn(usize, usize, usize)) {
    for &(at, other, n) in plan {
        call(at, other, n);
    }
}

/// The processor time of this thread in nanoseconds, which a busy machine disturbs least.
fn now() -> io::Result<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to a timespec.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
}

//! Measures the routines in this executable, or compares them with another build.

use std::collections::BTreeMap;
use std::process::Command;
use std::{env, error, io};

const ROUNDS: usize = 15;

/// Prints the measurements. If the command line names another executable, runs both in turns and
/// prints the median of each round's ratio, and of this executable's times.
pub(crate) fn take(
    names: &[&str],
    measure: impl Fn() -> io::Result<Vec<(String, f64)>>,
) -> Result<(), Box<dyn error::Error>> {
    let Some(other) = env::args_os().nth(1) else {
        for (what, time) in measure()? {
            println!("{what}\t{time:.3}");
        }
        return Ok(());
    };
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
    for name in names {
        for (what, of_what) in ratios
            .iter_mut()
            .filter(|(what, _)| what.split(' ').next() == Some(name))
        {
            of_what.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (ratio, time) = of_what[of_what.len() / 2];
            println!("{what:24} {ratio:8.3} {time:12.2}");
        }
    }
    Ok(())
}

/// Runs an executable and parses the lines that it prints.
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

/// Returns nanoseconds per call, for a pass that makes `calls` calls and returns their total
/// nanoseconds.
pub(crate) fn median(calls: usize, mut pass: impl FnMut() -> io::Result<u64>) -> io::Result<f64> {
    let once = pass()?.max(pass()?);
    // Enough passes for a fifth of a millisecond, and the median of several such samples.
    let passes = 200_000_u64.div_ceil(once.max(1));
    let mut times = Vec::new();
    for _ in 0..11 {
        let mut time = 0;
        for _ in 0..passes {
            time += pass()?;
        }
        times.push(time);
    }
    times.sort_unstable();
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_call = times[times.len() / 2] as f64 / (passes * calls as u64) as f64;
    Ok(per_call)
}

/// Returns this thread's CPU time in nanoseconds, which a busy machine disturbs least.
pub(crate) fn now() -> io::Result<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it only writes to the timespec.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
}

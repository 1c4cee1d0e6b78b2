//! The time per call: enough calls for the clock's resolution, and the median of several samples.

use std::time::Duration;

/// The effort for measuring a row.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The approximate length of a sample.
    pub sample: Duration,
    /// The number of samples.
    pub samples: usize,
}

impl Effort {
    /// For comparisons.
    pub const FULL: Self = Self {
        sample: Duration::from_millis(5),
        samples: 5,
    };
    /// For testing the program.
    pub const QUICK: Self = Self {
        sample: Duration::from_micros(500),
        samples: 3,
    };
}

/// The clock for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This thread's CPU time, which a busy machine disturbs least.
    Thread,
    /// Elapsed time, for work that waits or runs in several threads or processes.
    Wall,
}

impl Clock {
    /// Measures how long the work takes.
    pub fn time(self, work: impl FnOnce()) -> Duration {
        let start = self.now();
        work();
        self.now().saturating_sub(start)
    }

    fn now(self) -> Duration {
        let clock = match self {
            Self::Thread => libc::CLOCK_THREAD_CPUTIME_ID,
            Self::Wall => libc::CLOCK_MONOTONIC,
        };
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: it only writes to the timespec.
        let error = unsafe { libc::clock_gettime(clock, &raw mut time) };
        assert_eq!(error, 0, "Linux has both clocks");
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(time.tv_sec.unsigned_abs(), nanoseconds)
    }
}

/// Returns nanoseconds per call; `time` measures a given number of calls.
pub fn per_call(effort: Effort, mut time: impl FnMut(u64) -> Duration) -> f64 {
    let calls = calls_for(effort.sample, &mut time);
    let samples = (0..effort.samples).map(|_| time(calls).as_secs_f64() * 1e9 / as_number(calls));
    median(&samples.collect::<Vec<_>>()).unwrap_or(f64::NAN)
}

/// An upper bound on the number of calls, in case the clock does not advance.
const MOST_CALLS: u64 = 1 << 40;

/// Returns how many calls take about `wanted`.
fn calls_for(wanted: Duration, mut time: impl FnMut(u64) -> Duration) -> u64 {
    let mut calls = 1;
    loop {
        let took = time(calls);
        let scaled = u128::from(calls) * wanted.as_nanos() / took.as_nanos().max(1);
        let scaled = u64::try_from(scaled)
            .unwrap_or(MOST_CALLS)
            .clamp(1, MOST_CALLS);
        // Few calls do not predict many, because the first ones warm up caches; and a long time
        // may be a disturbance, so it must be reached twice.
        if calls == MOST_CALLS || (took >= wanted / 4 && time(scaled) >= wanted / 4) {
            return scaled;
        }
        calls = scaled.clamp(2 * calls, 10 * calls).min(MOST_CALLS);
    }
}

/// Returns the median, or the mean of the middle two values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*values.get(values.len() / 2 - 1)?, upper))
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[4.0, 1.0], Some(2.5)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
            (&[4.0, 3.0, 2.0, 1.0], Some(2.5)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn calls_fill_a_sample() {
        let wanted = Duration::from_millis(5);
        // Nanoseconds per start, and per call.
        for (start, call, expected) in [
            (0, 1, 5_000_000),
            (0, 1_000, 5_000),
            (0, 5_000_000, 1),
            (0, 90_000_000, 1),
            // A start of 0.1 ms is a small part of a sample.
            (100_000, 100, 49_000),
        ] {
            let time = |calls: u64| Duration::from_nanos(start + call * calls);
            let calls = calls_for(wanted, time);
            let off = calls.abs_diff(expected);
            assert!(off * 10 <= expected, "{start} + n * {call}: {calls}");
        }
    }

    #[test]
    fn the_calls_made_to_warm_up_are_few() {
        let mut made = 0;
        calls_for(Duration::from_millis(5), |calls| {
            made += calls;
            Duration::from_nanos(10 * calls)
        });
        assert!(made <= 1_500_000, "{made}: more than three samples");
    }

    #[test]
    fn a_disturbance_is_not_taken_for_a_slow_call() {
        let mut disturbed = true;
        let calls = calls_for(Duration::from_millis(5), |calls| {
            let more = if std::mem::take(&mut disturbed) {
                4_000_000
            } else {
                0
            };
            Duration::from_nanos(100 * calls + more)
        });
        assert_eq!(calls, 50_000);
    }

    #[test]
    fn a_clock_that_stands_still_ends() {
        assert_eq!(
            calls_for(Duration::from_millis(5), |_| Duration::ZERO),
            MOST_CALLS
        );
    }

    #[test]
    fn a_disturbed_sample_does_not_count() {
        let mut samples = 0;
        let nanoseconds = per_call(Effort::FULL, |calls| {
            samples += 1;
            Duration::from_nanos(calls * if samples % 4 == 0 { 900 } else { 20 })
        });
        assert!((nanoseconds - 20.0).abs() < 1e-6, "{nanoseconds}");
    }

    #[test]
    fn clocks_tell_work_from_waiting() {
        let wait = || std::thread::sleep(Duration::from_millis(20));
        assert!(Clock::Wall.time(wait) >= Duration::from_millis(20));
        assert!(Clock::Thread.time(wait) < Duration::from_millis(20));
    }
}

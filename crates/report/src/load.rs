//! Checks whether the machine is quiet enough for measurements.

use std::fs;
use std::time::Duration;

use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::statistics::as_number;

/// The largest share of all CPUs that other processes may use.
const BUSY: f64 = 0.2;
/// The largest 1-minute load per CPU.
const LOADED: f64 = 0.5;
/// How long other processes are observed.
const WATCHED: Duration = Duration::from_secs(1);

/// Environment variables that change how allocators work.
const TUNING: [&str; 8] = [
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_CONF",
    "_RJEM_MALLOC_CONF",
    "MALLOC_PERTURB_",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_TOP_PAD_",
];

/// Other work of the machine, before anything is measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Load {
    /// Processes ready to run, averaged over a minute.
    pub(crate) minute: Option<f64>,
    /// The share of all CPUs in use during one second, from 0 to 1.
    pub(crate) busy: Option<f64>,
}

impl Load {
    /// Observes the machine for a second.
    pub(crate) fn now(interrupt: &Interrupt) -> Self {
        let before = times();
        interrupt.pause(WATCHED);
        Self {
            minute: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split_ascii_whitespace().next()?.parse().ok()),
            busy: share(before, times()),
        }
    }

    /// Returns warnings about other work.
    pub(crate) fn warnings(&self, cpus: usize) -> Vec<String> {
        let mut warnings = Vec::new();
        let bound = LOADED * as_number(cpus as u64);
        if let Some(minute) = self.minute.filter(|&minute| minute > bound) {
            warnings.push(format!(
                "the 1-minute load was {minute:.2} at the start, with {cpus} CPUs: \
                 times are too long and scatter; repeat it on a quiet machine"
            ));
        }
        if let Some(busy) = self.busy.filter(|&busy| busy > BUSY) {
            warnings.push(format!(
                "other work used {:.0} % of the CPUs in the second before the start: \
                 times are too long and scatter; repeat it on a quiet machine",
                busy * 100.0
            ));
        }
        warnings
    }
}

/// Returns warnings about the environment.
pub(crate) fn tuning() -> Vec<String> {
    TUNING
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
        .map(|(name, value)| {
            format!(
                "{name} is set to {}, which affects the measurements",
                value.display()
            )
        })
        .collect()
}

/// Time in use and total time, since boot.
type Times = (u64, u64);

fn times() -> Option<Times> {
    parse(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse(stat: &str) -> Option<Times> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    // The two fields after these eight are contained in the first two.
    let fields: Vec<u64> = line
        .split_ascii_whitespace()
        .take(8)
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    let all: u64 = fields.iter().sum();
    let idle = fields.get(3)? + fields.get(4)?;
    Some((all - idle, all))
}

fn share(before: Option<Times>, after: Option<Times>) -> Option<f64> {
    let (before, after) = (before?, after?);
    let all = after.1.checked_sub(before.1).filter(|&all| all > 0)?;
    Some(as_number(after.0.saturating_sub(before.0)) / as_number(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_what_is_not_idle() {
        let before = parse("cpu  10 0 10 70 10 0 0 0 5 5\ncpu0 1\n");
        assert_eq!(before, Some((20, 100)));
        let after = parse("cpu  40 0 20 120 20 0 0 0 5 5\n");
        assert_eq!(share(before, after), Some(0.4));
        assert_eq!(share(after, after), None);
        for text in ["", "cpu  1 2 3\n", "cpu  1 2 x 4 5\n"] {
            assert_eq!(parse(text), None);
        }
    }

    #[test]
    fn a_busy_machine_is_told_of() {
        let load = |minute, busy| Load { minute, busy };
        assert!(load(Some(1.0), Some(0.2)).warnings(2).is_empty());
        assert!(load(None, None).warnings(2).is_empty());
        let warnings = load(Some(1.1), Some(0.21)).warnings(2);
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("1.10") && warnings[1].contains("21 %"));
    }
}

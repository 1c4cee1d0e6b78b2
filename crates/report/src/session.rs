//! Everything measured, step by step, in an order that is fair to all variants.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::benchmarks::Executable;
use crate::child::RunError;
use crate::criterion::Sampling;
use crate::interrupt::{Interrupt, Signal};
use crate::matrix::Variant;
use crate::resources;
use crate::results::{Cell, GroupReport, Reading, Round};

/// What is to be measured, and how.
#[derive(Debug)]
pub struct Session<'a> {
    /// The builds.
    pub variants: &'a [Variant],
    /// The benchmarks.
    pub groups: &'a [String],
    /// How often each benchmark of each variant is measured.
    pub rounds: u32,
    /// How each of these is done.
    pub sampling: Sampling,
    /// strace, or why there is none.
    pub strace: Result<PathBuf, String>,
    /// How long system calls of one benchmark may be counted for.
    pub patience: Duration,
    /// This executable, which launches others to measure their memory.
    pub own: PathBuf,
    /// What ends it early.
    pub interrupt: &'a Interrupt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Time { round: u32 },
    Memory,
    SystemCalls,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    kind: Kind,
    group: usize,
    variant: usize,
}

/// How far it is, told before each step.
#[derive(Debug)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// All steps.
    pub total: usize,
    /// What is done next.
    pub what: String,
    /// How long the rest may take, if that can be told.
    pub left: Option<Duration>,
}

impl Session<'_> {
    /// Nothing measured yet.
    #[must_use]
    pub fn empty(&self) -> Vec<GroupReport> {
        let group = |name: &String| GroupReport {
            name: name.clone(),
            plot: None,
            cells: self
                .variants
                .iter()
                .map(|variant| Cell::new(&variant.name))
                .collect(),
        };
        self.groups.iter().map(group).collect()
    }

    /// Fills in what can be measured. Returns the signal that ended it early.
    pub fn run(
        &self,
        results: &mut [GroupReport],
        mut tell: impl FnMut(&Progress),
    ) -> Option<Signal> {
        let steps = self.steps();
        let started = Instant::now();
        let mut weight_left: f64 = steps.iter().map(|step| self.weight(step.kind)).sum();
        let mut weight_done = 0.0;
        for (done, step) in steps.iter().enumerate() {
            let scale = (done > 0).then(|| started.elapsed().as_secs_f64() / weight_done);
            tell(&Progress {
                done,
                total: steps.len(),
                what: self.describe(*step),
                left: scale.and_then(|scale| {
                    Duration::try_from_secs_f64(f64::max(scale * weight_left, 0.0)).ok()
                }),
            });
            let cell = &mut results[step.group].cells[step.variant];
            if let Err(signal) = self.take(*step, cell) {
                return Some(signal);
            }
            let weight = self.weight(step.kind);
            weight_left -= weight;
            weight_done += weight;
        }
        None
    }

    /// All steps. Times come first, as they matter most. Each variant is first
    /// in some rounds and last in others, so that a machine that slows down
    /// slows all of them down.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let count = self.variants.len();
        for round in 1..=self.rounds {
            for group in 0..self.groups.len() {
                let first = group + round as usize - 1;
                steps.extend((first..first + count).map(|place| Step {
                    kind: Kind::Time { round },
                    group,
                    variant: place % count,
                }));
            }
        }
        for kind in [Kind::Memory, Kind::SystemCalls] {
            for group in 0..self.groups.len() {
                steps.extend((0..count).map(|variant| Step {
                    kind,
                    group,
                    variant,
                }));
            }
        }
        steps
    }

    /// Seconds it takes, roughly: only used to weigh steps against each other.
    fn weight(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Time { .. } => {
                self.sampling.warm_up_seconds + self.sampling.measurement_seconds + 0.3
            }
            Kind::Memory => 1.0,
            Kind::SystemCalls if self.strace.is_ok() => 2.0,
            Kind::SystemCalls => 0.0,
        }
    }

    fn describe(&self, step: Step) -> String {
        let what = match step.kind {
            Kind::Time { round } => format!("round {round} of {}", self.rounds),
            Kind::Memory => "memory".to_owned(),
            Kind::SystemCalls => "system calls".to_owned(),
        };
        let (group, variant) = (&self.groups[step.group], &self.variants[step.variant]);
        format!("{what}: {group}, {}", variant.name)
    }

    fn take(&self, step: Step, cell: &mut Cell) -> Result<(), Signal> {
        let group = &self.groups[step.group];
        let path = &self.variants[step.variant].allocations;
        let executable = Executable::new(path, self.interrupt);
        // What has failed once is not run again: it would fail again, or give
        // results that mean little.
        if let Some(failure) = &cell.failure {
            let missing = Reading::none(failure);
            match step.kind {
                Kind::Time { .. } => {}
                Kind::Memory => {
                    cell.peak_rss_bytes = missing.clone();
                    cell.page_faults = missing;
                }
                Kind::SystemCalls => cell.system_calls = missing,
            }
            return Ok(());
        }
        match step.kind {
            Kind::Time { round } => self.time(&executable, group, round, cell),
            Kind::Memory => self.memory(&executable, group, cell),
            Kind::SystemCalls => self.system_calls(&executable, group, cell),
        }
    }

    fn time(
        &self,
        executable: &Executable<'_>,
        group: &str,
        number: u32,
        cell: &mut Cell,
    ) -> Result<(), Signal> {
        match executable.measure(group, &self.sampling) {
            Ok(measured) => cell.rounds.push(Round {
                number,
                median_ns: measured.estimates.median,
                deviation_ns: measured.estimates.deviation,
            }),
            Err(RunError::Interrupted(signal)) => return Err(signal),
            Err(error) => cell.failure = Some(error.to_string()),
        }
        Ok(())
    }

    fn memory(
        &self,
        executable: &Executable<'_>,
        group: &str,
        cell: &mut Cell,
    ) -> Result<(), Signal> {
        cell.peak_rss_bytes = match resources::peak_memory(executable, &self.own, group) {
            Ok(peak) if peak.exact => Reading::of(peak.bytes),
            Ok(peak) => Reading::of(peak.bytes).noted(AT_MOST),
            Err(error) => missing(error)?,
        };
        cell.page_faults = match resources::page_faults(executable, group) {
            Ok(faults) => Reading::of(faults),
            Err(error) => missing(error)?,
        };
        Ok(())
    }

    fn system_calls(
        &self,
        executable: &Executable<'_>,
        group: &str,
        cell: &mut Cell,
    ) -> Result<(), Signal> {
        let strace = match &self.strace {
            Ok(strace) => strace,
            Err(why) => {
                cell.system_calls = Reading::none(why);
                return Ok(());
            }
        };
        let calls = resources::system_calls(executable, strace, group, self.patience);
        cell.system_calls = match calls {
            Ok(calls) => {
                let total = Reading::of(calls.total());
                cell.system_calls_by_name = calls.by_name;
                if calls.first_only {
                    total.noted(FIRST_ITERATION)
                } else {
                    total
                }
            }
            Err(error) => missing(error)?,
        };
        Ok(())
    }
}

/// What is said of counts that are those of a first iteration.
pub const FIRST_ITERATION: &str = "of a process's first iteration";
/// What is said of memory that cannot be told from the launcher's.
pub const AT_MOST: &str = "at most: less than the launcher's own cannot be told";

fn missing(error: RunError) -> Result<Reading, Signal> {
    match error {
        RunError::Interrupted(signal) => Err(signal),
        error => Ok(Reading::none(error.to_string())),
    }
}

//! The benchmarks of C library and allocator.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::benchmarks::Executable;
use super::criterion::Sampling;
use super::resources;
use crate::child::RunError;
use crate::format;
use crate::matrix::Variant;
use crate::section::{
    AT_MOST, Better, Cell, Drawn, FIRST_ITERATION, Measure, Ratios, Row, Section, Table,
};
use crate::session::{Kind, Session, Source, Step};
use crate::text::escape;

const MEASURES: &[Measure] = &[
    Measure::new("time", "time (ms)", "ns", format::milliseconds)
        .compared(Better::Less, Ratios::Medians),
    Measure::new(
        "deviation",
        "median absolute deviation of samples (ms)",
        "ns",
        format::milliseconds,
    ),
    Measure::new("peak_rss", "peak RSS (MiB)", "bytes", format::mebibytes),
    Measure::new("page_faults", "page faults", "1", format::count),
    Measure::new("system_calls", "system calls", "1", format::count),
];

/// Returns the section before anything is measured.
pub(crate) fn section(session: &Session<'_>, groups: &[String], sampling: Sampling) -> Section {
    let (variants, baseline, rounds) = (session.variants, session.baseline, session.rounds);
    let label = baseline.map(|place| escape(variants[place].column().title()));
    let ratio = match &label {
        Some(label) => format!(", then the ratio to the median of {label}"),
        None => String::new(),
    };
    let mut tables = vec![Table::new(
        format!(
            "### Time\n\nTime of one iteration in ms: median of {rounds} interleaved rounds, with their range in \
             parentheses{ratio}. A round is the median of {} samples, taken in about {} s after {} s of warm-up in a new \
             process.",
            sampling.samples, sampling.measurement_seconds, sampling.warm_up_seconds
        ),
        "benchmark",
        &["time"],
    )];
    tables.extend(label.map(|label| Table {
        to_smallest: true,
        ..Table::new(
            format!(
                "### Against the baseline's fastest round\n\nWith several threads, glibc's time has two modes up to \
                 twofold apart, with or without contention for the locks of its arenas. A ratio to its median depends on \
                 the mode of most rounds, so this table has the ratio of each median to the fastest round of {label}."
            ),
            "benchmark",
            &["time"],
        )
    }));
    let resources = &["peak_rss", "page_faults", "system_calls"];
    tables.push(Table::new(RESOURCES, "benchmark, measure", resources));
    let measures = [&["time"], &resources[..]].concat();
    Section {
        name: "allocations",
        heading: "## C library and allocator".to_owned(),
        settings: json!({"sampling": sampling}),
        rounds,
        columns: variants.iter().map(Variant::column).collect(),
        references: baseline.into_iter().collect(),
        measures: MEASURES,
        rows: groups
            .iter()
            .map(|name| Row::new(name, &measures, variants.len()))
            .collect(),
        tables,
        file: "overview",
        drawn: Drawn::EachRow,
        ..Section::default()
    }
}

const RESOURCES: &str = "### Memory, page faults, system calls\n\n\
    - *Peak RSS*: the peak memory (VmHWM, from ru_maxrss) of a process that runs the benchmark once; median of 3 \
    processes. \"≤\" marks an upper bound: the peak is not above that of the process that started it.\n\
    - *Page faults*: minor faults of one iteration, from the difference between two processes that differ only in their \
    number of iterations.\n\
    - *System calls*: the same, counted by strace. Numbers with a star are of a process's first iteration, minus those of \
    a process without iterations: more iterations would take too long under strace, which also slows threads down and so \
    changes the contention for locks.";

const MEMORY: &str = "memory";
const SYSTEM_CALLS: &str = "system calls";

#[derive(Debug)]
pub(crate) struct Benchmarks<'a> {
    pub(crate) session: &'a Session<'a>,
    /// How each round is measured.
    pub(crate) sampling: Sampling,
    /// strace, or why there is none.
    pub(crate) strace: Result<PathBuf, String>,
}

impl Source for Benchmarks<'_> {
    /// Times come first because they matter most. Weights are seconds, approximately.
    fn steps(&self, section: &Section) -> Vec<Step> {
        let seconds = self.sampling.warm_up_seconds + self.sampling.measurement_seconds + 0.3;
        let traced = if self.strace.is_ok() { 2.0 } else { 0.0 };
        Step::rounds(section, seconds)
            .chain(Step::once(section, MEMORY, 1.0))
            .chain(Step::once(section, SYSTEM_CALLS, traced))
            .collect()
    }

    fn take(&mut self, step: &Step, section: &mut Section) -> Result<(), RunError> {
        let (Some(row), Some(column)) = (step.row, step.column) else {
            return Ok(());
        };
        let row = &mut section.rows[row];
        let executable = Executable::new(
            &self.session.variants[column].allocations,
            &self.session.interrupt,
        );
        let (group, cell) = (&row.name, &mut row.cells[column]);
        match step.kind {
            Kind::Round(round) => {
                let measured = executable.measure(group, &self.sampling)?;
                cell.push("time", round, measured.estimates.0);
                cell.push("deviation", round, measured.estimates.1);
                Ok(())
            }
            Kind::Once(MEMORY) => self.memory(&executable, group, cell),
            Kind::Once(_) => self.system_calls(&executable, group, cell),
        }
    }
}

impl Benchmarks<'_> {
    fn memory(
        &self,
        executable: &Executable<'_>,
        group: &str,
        cell: &mut Cell,
    ) -> Result<(), RunError> {
        let peak = resources::peak_memory(executable, &self.session.own, group);
        if let Some((bytes, exact)) = or_note(peak, "peak_rss", cell)? {
            cell.push("peak_rss", 1, bytes);
            if !exact {
                cell.note("peak_rss", AT_MOST);
            }
        }
        let faults = resources::page_faults(executable, group);
        if let Some(faults) = or_note(faults, "page_faults", cell)? {
            cell.push("page_faults", 1, faults);
        }
        Ok(())
    }

    fn system_calls(
        &self,
        executable: &Executable<'_>,
        group: &str,
        cell: &mut Cell,
    ) -> Result<(), RunError> {
        // How long counting may take.
        let patience = Duration::from_secs(if self.session.quick { 2 } else { 20 });
        let calls = match &self.strace {
            Ok(strace) => resources::system_calls(executable, strace, group, patience),
            Err(why) => Err(RunError::NoResult(why.clone())),
        };
        if let Some((by_name, first_only)) = or_note(calls, "system_calls", cell)? {
            cell.push("system_calls", 1, by_name.values().sum());
            if first_only {
                cell.note("system_calls", FIRST_ITERATION);
            }
            cell.readings.entry("system_calls").or_default().parts = by_name;
        }
        Ok(())
    }
}

/// Returns the measurement. A failure becomes a note, because the times are valid anyway.
fn or_note<T>(
    result: Result<T, RunError>,
    measure: &'static str,
    cell: &mut Cell,
) -> Result<Option<T>, RunError> {
    match result {
        Ok(measured) => Ok(Some(measured)),
        Err(interrupted @ RunError::Interrupted(_)) => Err(interrupted),
        Err(error) => {
            cell.note(measure, error.to_string());
            Ok(None)
        }
    }
}

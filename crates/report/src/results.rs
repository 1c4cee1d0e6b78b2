//! All that was found out, in the form in which it is kept as JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::criterion::Sampling;
use crate::library::LibraryReport;
use crate::program::results::ProgramReport;
use crate::statistics::Summary;
use crate::system::System;

/// A report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether everything that was to be measured was.
    pub complete: bool,
    /// When it began.
    pub started: String,
    /// When it ended.
    pub finished: String,
    /// What was asked for.
    pub settings: Settings,
    /// Name of the variant that the others are compared with.
    pub baseline: Option<String>,
    /// Why results may be off.
    pub warnings: Vec<String>,
    /// Where it was measured.
    pub system: System,
    /// The builds.
    pub variants: Vec<VariantReport>,
    /// What was measured.
    pub groups: Vec<GroupReport>,
    /// The servers under load, if that was asked for.
    pub program: Option<ProgramReport>,
    /// The survey of the C library, if that was asked for.
    pub library: Option<LibraryReport>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// How often each benchmark of each variant is measured.
    pub rounds: u32,
    /// How each of these is done.
    pub sampling: Sampling,
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// The value.
    pub value: Option<f64>,
    /// Why there is none, or what to know about it.
    pub note: Option<String>,
}

impl Reading {
    /// There is none.
    pub fn none(why: impl Into<String>) -> Self {
        Self {
            value: None,
            note: Some(why.into()),
        }
    }

    /// It is this.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self {
            value: Some(value),
            note: None,
        }
    }

    /// The same, with something to know about it.
    #[must_use]
    pub fn noted(self, note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..self
        }
    }
}

/// A build.
#[derive(Debug, Clone, Serialize)]
pub struct VariantReport {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The executable of the benchmarks.
    pub allocations: PathBuf,
    /// The program.
    pub program: Option<PathBuf>,
    /// The size of the former.
    pub allocations_bytes: Reading,
    /// The size of the latter.
    pub program_bytes: Reading,
    /// What the program says of itself.
    pub info: Option<Value>,
    /// Why it says nothing.
    pub info_note: Option<String>,
}

/// A benchmark.
#[derive(Debug, Clone, Serialize)]
pub struct GroupReport {
    /// Its name.
    pub name: String,
    /// The file of its plot, if it has one.
    pub plot: Option<String>,
    /// One for each variant, in their order.
    pub cells: Vec<Cell>,
}

/// A benchmark of one variant.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The variant.
    pub variant: String,
    /// Each round that went well.
    pub rounds: Vec<Round>,
    /// Why later rounds are missing.
    pub failure: Option<String>,
    /// Medians of the rounds in nanoseconds.
    pub summary_ns: Option<Summary>,
    /// Median by the baseline's median.
    pub ratio: Option<f64>,
    /// Median by the baseline's minimum.
    pub ratio_to_minimum: Option<f64>,
    /// Peak memory of a process that runs it once.
    pub peak_rss_bytes: Reading,
    /// Page faults of an iteration.
    pub page_faults: Reading,
    /// System calls of an iteration.
    pub system_calls: Reading,
    /// The same, by name.
    pub system_calls_by_name: BTreeMap<String, f64>,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Round {
    /// Its number, from 1.
    pub number: u32,
    /// Median of its samples in nanoseconds.
    pub median_ns: f64,
    /// Their median absolute deviation in nanoseconds.
    pub deviation_ns: f64,
}

impl Cell {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(variant: &str) -> Self {
        let missing = || Reading::none("not measured");
        Self {
            variant: variant.to_owned(),
            rounds: Vec::new(),
            failure: None,
            summary_ns: None,
            ratio: None,
            ratio_to_minimum: None,
            peak_rss_bytes: missing(),
            page_faults: missing(),
            system_calls: missing(),
            system_calls_by_name: BTreeMap::new(),
        }
    }
}

impl GroupReport {
    /// Works out what follows from the rounds.
    pub fn summarise(&mut self, baseline: Option<usize>) {
        for cell in &mut self.cells {
            cell.summary_ns = Summary::of(cell.rounds.iter().map(|round| round.median_ns));
        }
        let reference = baseline
            .and_then(|place| self.cells.get(place))
            .and_then(|cell| cell.summary_ns);
        for cell in &mut self.cells {
            let (Some(own), Some(reference)) = (cell.summary_ns, reference) else {
                continue;
            };
            cell.ratio = Some(own.median / reference.median);
            cell.ratio_to_minimum = Some(own.median / reference.minimum);
        }
    }
}

impl Report {
    /// Place of the baseline among the variants.
    #[must_use]
    pub fn baseline_place(&self) -> Option<usize> {
        let name = self.baseline.as_ref()?;
        self.variants
            .iter()
            .position(|variant| variant.name == *name)
    }

    /// How many measurements there were, those of each variant counted, and how
    /// many failed.
    #[must_use]
    pub fn failures(&self) -> (usize, usize) {
        let cells = self.groups.iter().flat_map(|group| &group.cells);
        let failed = cells.clone().filter(|cell| cell.failure.is_some()).count();
        let program = self.program.as_ref().map(ProgramReport::failures);
        let (loads, failed_loads) = program.unwrap_or_default();
        let surveys = self.library.iter();
        let failed_surveys = surveys.clone().filter(|survey| survey.failure.is_some());
        (
            cells.count() + loads + surveys.count(),
            failed + failed_loads + failed_surveys.count(),
        )
    }
}

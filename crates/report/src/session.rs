//! Runs all measurements in an order that is fair to all columns.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::child::RunError;
use crate::interrupt::{Interrupt, Signal};
use crate::matrix::Variant;
use crate::section::Section;

/// The settings of all sections.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) variants: &'a [Variant],
    /// Index of the variant that others are compared with.
    pub(crate) baseline: Option<usize>,
    /// How often each cell is measured.
    pub(crate) rounds: u32,
    /// Whether the run is only a test.
    pub(crate) quick: bool,
    /// This executable, which is also the launcher.
    pub(crate) own: PathBuf,
    pub(crate) interrupt: Interrupt,
}

/// Measures the cells of a section.
pub(crate) trait Source {
    /// Returns all steps, in order.
    fn steps(&self, section: &Section) -> Vec<Step>;

    /// Takes one step, and stores its results in the cells.
    fn take(&mut self, step: &Step, section: &mut Section) -> Result<(), RunError>;
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    /// Index of its row; of all rows, if there is none.
    pub(crate) row: Option<usize>,
    /// Index of its column; of all columns, if there is none.
    pub(crate) column: Option<usize>,
    /// Its duration relative to other steps.
    pub(crate) weight: f64,
}

/// The kind of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Round(u32),
    Once(&'static str),
}

/// The progress, reported before each step.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) done: usize,
    pub(crate) total: usize,
    pub(crate) what: String,
    /// The estimated time left, if known.
    pub(crate) left: Option<Duration>,
}

impl Step {
    /// Returns steps that are taken once with every cell.
    pub(crate) fn once(
        section: &Section,
        what: &'static str,
        weight: f64,
    ) -> impl Iterator<Item = Self> {
        let (rows, columns) = (section.rows.len(), section.columns.len());
        let cells = (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)));
        cells.map(move |(row, column)| Self::new(Kind::Once(what), Some(row), Some(column), weight))
    }

    /// Returns all rounds of all cells. Each column is first in some rounds and last in others, so a machine that slows
    /// down affects all columns.
    pub(crate) fn rounds(section: &Section, weight: f64) -> impl Iterator<Item = Self> {
        let (rows, columns) = (section.rows.len(), section.columns.len());
        let turns =
            (1..=section.rounds).flat_map(move |round| (0..rows).map(move |row| (round, row)));
        turns.flat_map(move |(round, row)| {
            let first = row + round as usize - 1;
            (first..first + columns).map(move |place| {
                Self::new(Kind::Round(round), Some(row), Some(place % columns), weight)
            })
        })
    }

    pub(crate) fn new(kind: Kind, row: Option<usize>, column: Option<usize>, weight: f64) -> Self {
        Self {
            kind,
            row,
            column,
            weight,
        }
    }

    fn describe(&self, section: &Section) -> String {
        let kind = match self.kind {
            Kind::Round(round) => format!("round {round} of {}", section.rounds),
            Kind::Once(what) => what.to_owned(),
        };
        let row = self
            .row
            .map_or(section.name, |place| &section.rows[place].name);
        match self.column {
            Some(column) => format!("{kind}: {row}, {}", section.columns[column].name),
            None => format!("{kind}: {row}"),
        }
    }

    /// Returns whether the step's cell has failed or is left out: it would fail again, or its
    /// result would mean little.
    fn is_idle(&self, section: &Section) -> bool {
        match (self.row, self.column) {
            (Some(row), Some(column)) => {
                let cell = &section.rows[row].cells[column];
                cell.failure.is_some() || cell.left_out
            }
            _ => section.failure.is_some(),
        }
    }

    fn fail(&self, section: &mut Section, why: &str) {
        let Some(row) = self.row else {
            section.failure = Some(why.to_owned());
            return;
        };
        for (place, cell) in section.rows[row].cells.iter_mut().enumerate() {
            if self.column.is_none_or(|column| column == place) {
                cell.failure = Some(why.to_owned());
            }
        }
    }
}

/// Takes all steps. Returns the signal that interrupted them, if any.
pub(crate) fn run(
    section: &mut Section,
    source: &mut dyn Source,
    mut tell: impl FnMut(&Progress),
) -> Option<Signal> {
    let mut steps = source.steps(section);
    steps.retain(|step| !step.is_idle(section));
    let started = Instant::now();
    let mut weight_left: f64 = steps.iter().map(|step| step.weight).sum();
    let mut weight_done = 0.0;
    let mut signal = None;
    for (done, step) in steps.iter().enumerate() {
        weight_left -= step.weight;
        if step.is_idle(section) {
            continue;
        }
        let left = (weight_done > 0.0)
            .then(|| (weight_left + step.weight) * started.elapsed().as_secs_f64() / weight_done);
        tell(&Progress {
            done,
            total: steps.len(),
            what: step.describe(section),
            left: left.and_then(|left| Duration::try_from_secs_f64(left).ok()),
        });
        match source.take(step, section) {
            Ok(()) => weight_done += step.weight,
            Err(RunError::Interrupted(caught)) => {
                signal = Some(caught);
                break;
            }
            Err(error) => {
                weight_done += step.weight;
                step.fail(section, &error.to_string());
            }
        }
    }
    section.summarise();
    signal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Records its steps, fails at one cell and is interrupted at one step.
    struct Script {
        steps: Vec<Step>,
        taken: Vec<(Option<usize>, Option<usize>)>,
        bad: (Option<usize>, Option<usize>),
        interrupted_at: usize,
    }

    impl Source for Script {
        fn steps(&self, _: &Section) -> Vec<Step> {
            self.steps.clone()
        }

        fn take(&mut self, step: &Step, section: &mut Section) -> Result<(), RunError> {
            if self.taken.len() == self.interrupted_at {
                return Err(RunError::Interrupted(Signal(2)));
            }
            self.taken.push((step.row, step.column));
            if (step.row, step.column) == self.bad {
                return Err(RunError::NoResult("bad".to_owned()));
            }
            if let (Some(row), Some(column)) = (step.row, step.column) {
                section.rows[row].cells[column].push("wall", 1, 1.0);
            }
            Ok(())
        }
    }

    fn script(steps: Vec<Step>, bad: (Option<usize>, Option<usize>)) -> Script {
        Script {
            steps,
            taken: Vec::new(),
            bad,
            interrupted_at: usize::MAX,
        }
    }

    /// Returns a section with two rounds and this many rows and columns.
    fn cut(rows: usize, columns: usize) -> Section {
        let row = crate::section::Row::new("", &[], columns);
        Section {
            rounds: 2,
            columns: vec![crate::section::Column::new("", "", false); columns],
            rows: vec![row; rows],
            ..Section::default()
        }
    }

    fn empty() -> Section {
        let mut section = sample::programs();
        for cell in section.rows.iter_mut().flat_map(|row| &mut row.cells) {
            *cell = crate::section::Cell::default();
        }
        section
    }

    #[test]
    fn each_column_is_first_in_its_turn() {
        let order: Vec<_> = Step::rounds(&cut(2, 3), 1.0)
            .map(|step| (step.row, step.column))
            .collect();
        let expected = [
            (0, 0),
            (0, 1),
            (0, 2),
            (1, 1),
            (1, 2),
            (1, 0),
            (0, 1),
            (0, 2),
            (0, 0),
            (1, 2),
            (1, 0),
            (1, 1),
        ];
        assert_eq!(
            order,
            expected.map(|(row, column)| (Some(row), Some(column)))
        );
    }

    #[test]
    fn what_failed_is_not_tried_again() {
        let mut section = empty();
        let mut source = script(Step::rounds(&cut(1, 2), 1.0).collect(), (Some(0), Some(1)));
        assert_eq!(run(&mut section, &mut source, |_| {}), None);
        assert_eq!(
            source.taken,
            [(0, 0), (0, 1), (0, 0)].map(|(row, column)| (Some(row), Some(column)))
        );
        assert_eq!(section.rows[0].cells[1].failure.as_deref(), Some("bad"));
        assert_eq!(section.rows[0].cells[0].readings["wall"].values.len(), 2);
    }

    #[test]
    fn a_step_of_a_row_or_of_everything_fails_as_such() {
        let step = |row| Step::new(Kind::Once("x"), row, None, 1.0);
        let mut section = empty();
        run(
            &mut section,
            &mut script(vec![step(Some(0))], (Some(0), None)),
            |_| {},
        );
        assert!(
            section.rows[0]
                .cells
                .iter()
                .all(|cell| cell.failure.is_some())
        );
        let mut source = script(vec![step(None), step(None)], (None, None));
        run(&mut section, &mut source, |_| {});
        assert_eq!(
            (section.failure.as_deref(), source.taken.len()),
            (Some("bad"), 1)
        );
    }

    #[test]
    fn a_signal_keeps_what_was_measured_and_progress_is_told() {
        let mut section = empty();
        section.rounds = 2;
        let mut source = script(Step::rounds(&cut(1, 2), 1.0).collect(), (None, None));
        source.interrupted_at = 3;
        let mut told = Vec::new();
        let signal = run(&mut section, &mut source, |progress| {
            told.push((
                progress.what.clone(),
                progress.total,
                progress.left.is_some(),
            ));
        });
        assert_eq!(signal, Some(Signal(2)));
        assert_eq!(
            told[0],
            ("round 1 of 2: search, glibc".to_owned(), 4, false)
        );
        assert_eq!(told[3], ("round 2 of 2: search, glibc".to_owned(), 4, true));
        assert!(section.rows[0].cells[1].readings["wall"].summary.is_some());
    }
}

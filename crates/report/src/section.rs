//! A section of the report: rows × columns, and the measurements in each cell.
//!
//! What a section measures is data in [`crate::sections`]. Its JSON, tables and charts are derived from the data here
//! in the same way for all sections.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::statistics::Summary;

/// A section and its results.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Section {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Title and introduction, in Markdown.
    #[serde(skip)]
    pub(crate) heading: String,
    /// Its settings.
    pub(crate) settings: Value,
    /// How often each cell is measured.
    pub(crate) rounds: u32,
    pub(crate) columns: Vec<Column>,
    /// Indices of the columns that the others are compared with. Charts show ratios to the first.
    pub(crate) references: Vec<usize>,
    pub(crate) measures: &'static [Measure],
    /// The rows, each with a cell for every column.
    pub(crate) rows: Vec<Row>,
    /// Why the section could not be measured further.
    pub(crate) failure: Option<String>,
    #[serde(skip)]
    pub(crate) tables: Vec<Table>,
    #[serde(skip)]
    pub(crate) body: Option<String>,
    /// The file name of its chart, without extension.
    #[serde(skip)]
    pub(crate) file: &'static str,
    #[serde(skip)]
    pub(crate) drawn: Drawn,
    /// The file name of its chart, if there is one.
    pub(crate) plot: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    /// Its name on the command line.
    pub(crate) name: String,
    /// Its name in the report.
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) shipped: bool,
}

impl Column {
    pub(crate) fn new(name: &str, label: &str, shipped: bool) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            shipped,
        }
    }

    /// Returns the title in tables and charts; a shipped build has its package's name.
    pub(crate) fn title(&self) -> &str {
        if self.shipped {
            &self.name
        } else {
            &self.label
        }
    }
}

/// A measured quantity.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measure {
    /// Its name in JSON.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    /// Formats a value.
    #[serde(skip)]
    pub(crate) show: fn(f64) -> String,
    pub(crate) better: Better,
    /// How ratios to the references are computed.
    pub(crate) ratios: Ratios,
}

impl Measure {
    /// A quantity of which less is better, without comparison.
    pub(crate) const fn new(
        name: &'static str,
        title: &'static str,
        unit: &'static str,
        show: fn(f64) -> String,
    ) -> Self {
        Self {
            name,
            title,
            unit,
            show,
            better: Better::Less,
            ratios: Ratios::None,
        }
    }

    /// The same quantity, compared in this way.
    pub(crate) const fn compared(self, better: Better, ratios: Ratios) -> Self {
        Self {
            better,
            ratios,
            ..self
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    Less,
    More,
}

/// How a value is compared with the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ratios {
    /// No comparison.
    None,
    /// Median to median.
    Medians,
    /// Round by round, so that what slows down all columns in one round cancels out.
    Rounds,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// A remark about the row.
    pub(crate) note: Option<String>,
    /// Names of the measures in tables. Charts show the first one, and failures appear there.
    pub(crate) measures: Vec<&'static str>,
    /// One for each column.
    pub(crate) cells: Vec<Cell>,
    /// The file name of its own chart, if there is one.
    pub(crate) plot: Option<String>,
}

/// The cell of a row and a column.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cell {
    /// Whether the combination does not exist.
    pub(crate) left_out: bool,
    /// Why it was not measured further.
    pub(crate) failure: Option<String>,
    /// The measurements, by measure name.
    pub(crate) readings: BTreeMap<&'static str, Reading>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Reading {
    /// The values of all rounds.
    pub(crate) values: Vec<Measured>,
    /// Their summary.
    pub(crate) summary: Option<Summary>,
    /// Ratios to the references, in their order.
    pub(crate) ratios: Vec<Option<Summary>>,
    /// Why there is no value, or a remark about the values.
    pub(crate) note: Option<String>,
    /// The parts of the value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) parts: BTreeMap<String, f64>,
}

/// The note for counts of a first iteration.
pub(crate) const FIRST_ITERATION: &str = "of a process's first iteration";
/// The note for memory that may be the launcher's.
pub(crate) const AT_MOST: &str = "an upper bound: it is not above the launcher's own memory";

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Measured {
    /// The round, from 1.
    pub(crate) round: u32,
    pub(crate) value: f64,
}

/// A table: a line for each row and each of these measures that the row has.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) heading: String,
    pub(crate) title: &'static str,
    /// Names of the measures.
    pub(crate) measures: &'static [&'static str],
    /// Whether cells are ratios of medians to the first reference's smallest value, instead of values and ratios.
    pub(crate) to_smallest: bool,
}

impl Table {
    /// Returns a table of values.
    pub(crate) fn new(
        heading: impl Into<String>,
        title: &'static str,
        measures: &'static [&'static str],
    ) -> Self {
        Self {
            heading: heading.into(),
            title,
            measures,
            to_smallest: false,
        }
    }
}

/// How a section is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Drawn {
    /// A panel for each row, with a bar for each column.
    #[default]
    Rows,
    /// The same, and each row in its own file as well.
    EachRow,
    /// One panel with a bar for each row in which one of two columns is above a ratio.
    OneColumn {
        column: usize,
        /// Index of the column that is drawn as a mark.
        mark: usize,
        above: f64,
    },
}

impl Row {
    pub(crate) fn new(name: &str, measures: &[&'static str], columns: usize) -> Self {
        Self {
            name: name.to_owned(),
            note: None,
            measures: measures.to_vec(),
            cells: vec![Cell::default(); columns],
            plot: None,
        }
    }

    /// Returns the measure that charts show.
    pub(crate) fn first(&self) -> &'static str {
        self.measures.first().copied().unwrap_or_default()
    }

    /// Returns the reading that charts show, for one column.
    pub(crate) fn reading(&self, column: usize) -> Option<&Reading> {
        self.cells.get(column)?.readings.get(self.first())
    }
}

impl Cell {
    pub(crate) fn push(&mut self, measure: &'static str, round: u32, value: f64) {
        let reading = self.readings.entry(measure).or_default();
        reading.values.push(Measured { round, value });
    }

    /// Adds a note: why there is no value, or a remark about it.
    pub(crate) fn note(&mut self, measure: &'static str, note: impl Into<String>) {
        self.readings.entry(measure).or_default().note = Some(note.into());
    }
}

impl Reading {
    /// Returns `None` if there is nothing to divide by.
    fn ratios_to(&self, other: &Self, by: Ratios) -> Option<Summary> {
        let ratio = match by {
            Ratios::None => return None,
            Ratios::Medians => self.summary?.divided_by(other.summary?.median),
            Ratios::Rounds => Summary::of(self.values.iter().filter_map(|own| {
                let same = other.values.iter().find(|one| one.round == own.round)?;
                Some(own.value / same.value)
            }))?,
        };
        ratio.maximum.is_finite().then_some(ratio)
    }
}

impl Section {
    pub(crate) fn measure(&self, name: &str) -> Option<&'static Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// Computes summaries and ratios from the values.
    pub(crate) fn summarise(&mut self) {
        for row in &mut self.rows {
            let readings = row
                .cells
                .iter_mut()
                .flat_map(|cell| cell.readings.values_mut());
            for reading in readings {
                reading.summary = Summary::of(reading.values.iter().map(|one| one.value));
            }
            let before = row.cells.clone();
            let readings = row.cells.iter_mut().flat_map(|cell| &mut cell.readings);
            for (name, reading) in readings {
                let measure = self.measures.iter().find(|measure| measure.name == *name);
                let by = measure.map_or(Ratios::None, |measure| measure.ratios);
                let ratio =
                    |place: &usize| reading.ratios_to(before.get(*place)?.readings.get(name)?, by);
                reading.ratios = self.references.iter().map(ratio).collect();
            }
        }
    }

    /// Returns the number of measurements, and of failed ones.
    pub(crate) fn failures(&self) -> (usize, usize) {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        let cells = cells.filter(|cell| !cell.left_out);
        let failed = cells.clone().filter(|cell| cell.failure.is_some());
        let whole = usize::from(self.failure.is_some());
        (cells.count() + whole, failed.count() + whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn medians_are_compared_as_a_whole() {
        let section = sample::allocations();
        let ratio = |row: usize, column: usize| {
            section.rows[row]
                .reading(column)
                .and_then(|one| one.ratios[0])
        };
        let median = |row, column| ratio(row, column).map(|one| one.median);
        assert_eq!(median(0, 0), Some(1.0));
        assert_eq!(median(0, 2), Some(25.0 / 3.0));
        assert_eq!(ratio(0, 2).map(|one| one.maximum), Some(10.0));
        assert_eq!(median(1, 1), None, "it has failed");
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        let mut section = sample::programs();
        // The second round is ten times slower for all, and one has no third round.
        for (column, values) in [(0, &[2.0, 20.0, 4.0][..]), (1, &[4.0, 40.0])] {
            let cell = &mut section.rows[0].cells[column];
            *cell = Cell::default();
            for (round, &value) in (1..).zip(values) {
                cell.push("wall", round, value);
            }
        }
        section.summarise();
        let ratio = section.rows[0].reading(1).and_then(|one| one.ratios[0]);
        let twice = Summary::of([2.0]);
        assert_eq!(ratio, twice);
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        for by in [Ratios::Medians, Ratios::Rounds] {
            let reading = |value| {
                let values = vec![Measured { round: 1, value }];
                let summary = Summary::of([value]);
                Reading {
                    values,
                    summary,
                    ..Reading::default()
                }
            };
            assert_eq!(reading(1.0).ratios_to(&reading(0.0), by), None);
            assert_eq!(reading(0.0).ratios_to(&reading(0.0), by), None);
            assert_eq!(
                reading(0.0).ratios_to(&reading(1.0), by),
                Summary::of([0.0])
            );
        }
    }

    #[test]
    fn what_is_left_out_has_not_failed() {
        assert_eq!(sample::allocations().failures(), (6, 1));
        // A load for four and one for three, and three without load.
        assert_eq!(sample::broker().failures(), (10, 3));
        let mut section = sample::broker();
        section.failure = Some("it stopped".to_owned());
        assert_eq!(section.failures(), (11, 4));
    }
}

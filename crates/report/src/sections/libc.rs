//! The functions of the C library, timed by the survey.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use survey::compare::{Compared, Comparison, PENALTY};

use crate::child::{self, RunError};
use crate::format;
use crate::section::{Better, Column, Drawn, Measure, Ratios, Row, Section};
use crate::session::{Kind, Session, Source, Step};

/// Time limit of a round, which usually takes half a minute.
const ROUND_LIMIT: Duration = Duration::from_mins(5);

const MEASURES: &[Measure] = &[
    Measure::new("time", "time of a call (ns)", "ns", format::count)
        .compared(Better::Less, Ratios::Rounds),
];

/// Returns the section before anything is measured: only the survey knows its rows.
pub(crate) fn section(builds: &[PathBuf], rounds: u32) -> Section {
    let column = |(name, label)| Column::new(name, label, false);
    let columns = [
        ("glibc", "glibc"),
        ("stock-musl", "stock musl"),
        ("fast-musl", "fast musl"),
    ];
    Section {
        name: "libc",
        heading: "## C library".to_owned(),
        settings: json!({"builds": builds}),
        rounds,
        columns: columns.map(column).into(),
        references: vec![0, 1],
        measures: MEASURES,
        file: "libc",
        drawn: Drawn::OneColumn {
            column: 2,
            mark: 1,
            above: PENALTY,
        },
        ..Section::default()
    }
}

/// Builds of the survey.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    pub(crate) session: &'a Session<'a>,
    /// One for each column, in any order.
    pub(crate) builds: &'a [PathBuf],
    /// The results of the rounds so far.
    pub(crate) found: Vec<Comparison>,
}

impl Source for Survey<'_> {
    fn steps(&self, section: &Section) -> Vec<Step> {
        let round = |number| Step::new(Kind::Round(number), None, None, 1.0);
        (1..=section.rounds).map(round).collect()
    }

    /// Runs the first build, which runs all builds in turns for each row.
    fn take(&mut self, step: &Step, section: &mut Section) -> Result<(), RunError> {
        let (Kind::Round(round), Some((first, others))) = (step.kind, self.builds.split_first())
        else {
            return Ok(());
        };
        let mut command = Command::new(first);
        command.args([
            "--json",
            "--rounds",
            "1",
            "--first-round",
            &round.to_string(),
        ]);
        command
            .args(self.session.quick.then_some("--quick"))
            .args(others);
        let ended = child::run_within(ROUND_LIMIT, &mut command, &self.session.interrupt)?;
        let found = serde_json::from_str(&ended.stdout).map_err(|error| {
            RunError::NoResult(format!("the survey printed no results: {error}"))
        })?;
        self.found.push(found);
        show(section, &self.found);
        Ok(())
    }
}

/// Puts the results of the rounds into a section.
pub(crate) fn show(section: &mut Section, rounds: &[Comparison]) {
    let Some(all) = Comparison::joined(rounds) else {
        return;
    };
    section.rows = all
        .rows
        .iter()
        .map(|row| with_rounds(row, rounds))
        .collect();
    section.body = Some(all.to_markdown());
}

/// Returns a row with the times of all rounds.
fn with_rounds(row: &Compared, rounds: &[Comparison]) -> Row {
    let mut all = Row::new(&row.name, &["time"], 3);
    for (round, found) in (1..).zip(rounds) {
        for same in found.rows.iter().filter(|same| same.name == row.name) {
            let times = same.nanoseconds;
            for (cell, time) in
                all.cells
                    .iter_mut()
                    .zip([times.glibc, times.stock_musl, times.fast_musl])
            {
                cell.push("time", round, time);
            }
        }
    }
    all
}

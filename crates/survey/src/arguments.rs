//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::measure::Effort;
use crate::rows::Row;

/// Time calls of this build's C library, in nanoseconds per call. Given builds with the other C
/// libraries, run all builds in turns and compare their times
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
pub struct Arguments {
    /// Other builds of this program to compare with: glibc, stock musl and fast musl are needed,
    /// one each
    #[arg(value_name = "BUILD")]
    pub builds: Vec<PathBuf>,
    /// Only rows whose name contains this; can be repeated
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Only the row with this name; can be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "filter")]
    pub row: Vec<String>,
    /// Print the names of the rows and measure nothing
    #[arg(long, conflicts_with = "builds")]
    pub list: bool,
    /// Use short samples and few rounds: to test the program, not to compare
    #[arg(long)]
    pub quick: bool,
    /// How often to measure each row of each build [default: 6, with --quick 2]
    #[arg(long, value_name = "N", requires = "builds", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: Option<u32>,
    /// The number of the first round: odd and even rounds run the builds in opposite orders
    #[arg(long, value_name = "N", requires = "builds", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub first_round: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const AFTER: &str = "\
Exit code: 0 on success; 1 if something could not be measured or written;
2 if the command line is wrong.";

/// The selected rows do not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// No row has this name.
    #[error("there is no row {0:?}; --list prints all row names")]
    Unknown(String),
    /// No row has this text in its name.
    #[error("no row has {0:?} in its name; --list prints all row names")]
    NoMatch(String),
}

impl Arguments {
    /// Returns how often to measure each row of each build.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 6 })
    }

    /// Returns the effort per measurement.
    #[must_use]
    pub fn effort(&self) -> Effort {
        if self.quick {
            Effort::QUICK
        } else {
            Effort::FULL
        }
    }

    /// Returns the selected rows, in their order.
    ///
    /// # Errors
    ///
    /// If a name or a part of a name matches no row.
    pub fn select(&self, rows: Vec<Row>) -> Result<Vec<Row>, RowError> {
        let part = |row: &Row, text: &String| row.name.contains(text);
        if let Some(text) = self
            .filter
            .iter()
            .find(|text| !rows.iter().any(|row| part(row, text)))
        {
            return Err(RowError::NoMatch(text.clone()));
        }
        if let Some(name) = self
            .row
            .iter()
            .find(|name| !rows.iter().any(|row| row.name == **name))
        {
            return Err(RowError::Unknown(name.clone()));
        }
        let all = self.filter.is_empty() && self.row.is_empty();
        let wanted = |row: &Row| {
            all || self.row.contains(&row.name) || self.filter.iter().any(|text| part(row, text))
        };
        Ok(rows.into_iter().filter(wanted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn parse(line: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["survey"], line].concat())
    }

    fn selected(line: &[&str]) -> Result<Vec<String>, RowError> {
        let rows = parse(line).expect("valid").select(rows::all())?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    #[test]
    fn rows_are_chosen_by_name_or_part_of_it() {
        assert_eq!(selected(&[]).expect("all").len(), rows::all().len());
        assert_eq!(
            selected(&["--row", "math: sin"]),
            Ok(vec!["math: sin".to_owned()])
        );
        let some = selected(&["--filter", "math: sin", "--filter", "qsort"]).expect("some");
        assert!(some.contains(&"math: sinf".to_owned()), "{some:?}");
        assert!(some.iter().any(|name| name.contains("qsort")), "{some:?}");
        assert!(
            some.iter()
                .all(|name| name.contains("sin") || name.contains("qsort")),
            "{some:?}"
        );
    }

    #[test]
    fn what_fits_no_row_is_an_error() {
        let error = selected(&["--row", "math: sin", "--row", "sin"]);
        assert_eq!(error, Err(RowError::Unknown("sin".to_owned())));
        let error = selected(&["--filter", "math", "--filter", "nonsense"]);
        assert_eq!(error, Err(RowError::NoMatch("nonsense".to_owned())));
    }

    #[test]
    fn quick_is_only_a_default_of_rounds() {
        for (line, rounds) in [
            (&["other"][..], 6),
            (&["other", "--quick"], 2),
            (&["other", "--quick", "--rounds", "3"], 3),
        ] {
            assert_eq!(parse(line).expect("valid").rounds(), rounds, "{line:?}");
        }
    }

    #[test]
    fn errors_are_those_of_a_command_line() {
        for line in [
            &["other", "--rounds", "0"][..],
            &["--rounds", "2"],
            &["other", "--list"],
            &["--row", "a", "--filter", "b"],
            &["--filter"],
        ] {
            let error = parse(line).expect_err("invalid");
            assert_eq!(error.exit_code(), 2, "{error}");
        }
    }
}

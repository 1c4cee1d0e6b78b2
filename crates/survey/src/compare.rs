//! Builds take turns, and their times are compared.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kind::{Build, Kind, Listed, Measured};
use crate::measure::median;
use crate::rows::CONTROL;

/// From this ratio to glibc's time on, a row is pointed out.
pub const PENALTY: f64 = 1.2;
/// How far from 1 the control may be before the machine is said to be too busy.
const CONTROL_TOLERANCE: f64 = 0.1;

/// Why builds cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// This program does not know where it is.
    #[error("cannot find this program's own executable: {0}; call it by its full path")]
    Own(#[source] io::Error),
    /// There is none of a kind.
    #[error("there is no build for {0} among these; make one with `{command}` and give its path", command = .0.command())]
    Missing(Kind),
    /// There are two of a kind.
    #[error("{} and {} are both builds for {kind}; give one of each kind", first.display(), second.display())]
    Twice {
        /// The kind.
        kind: Kind,
        /// One of them.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// It was built from other sources.
    #[error("{} has no row {row:?}; make all builds from the same sources", path.display())]
    NoRow {
        /// The build.
        path: PathBuf,
        /// What it should have.
        row: String,
    },
    /// It cannot be run.
    #[error("cannot start {}: {source}; check the path", path.display())]
    Start {
        /// The build.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("{}: {status}{said}", path.display())]
    Failed {
        /// The build.
        path: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The last line of its standard error, after a colon.
        said: String,
    },
    /// It printed something else.
    #[error("{} is no build of this program: it printed no such JSON ({source})", path.display())]
    Foreign {
        /// The build.
        path: PathBuf,
        /// What is wrong with that.
        source: serde_json::Error,
    },
}

impl CompareError {
    /// What the program ends with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Own(_) | Self::Failed { .. } => 1,
            _ => 2,
        }
    }
}

/// A value for each build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Each<T> {
    /// For glibc.
    pub glibc: T,
    /// For stock musl.
    pub stock_musl: T,
    /// For fast musl.
    pub fast_musl: T,
}

impl<T> Each<T> {
    fn all(&self) -> [&T; 3] {
        [&self.glibc, &self.stock_musl, &self.fast_musl]
    }

    fn of(&mut self, kind: Kind) -> &mut T {
        match kind {
            Kind::Glibc => &mut self.glibc,
            Kind::StockMusl => &mut self.stock_musl,
            Kind::FastMusl => &mut self.fast_musl,
        }
    }
}

/// A ratio that was measured in several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The middle one.
    pub median: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

impl Ratio {
    /// Round by round, so that what slows all builds down in one round cancels out.
    fn of(times: &[f64], by: &[f64]) -> Self {
        let ratios: Vec<f64> = times.iter().zip(by).map(|(time, by)| time / by).collect();
        Self {
            median: median(&ratios).unwrap_or(f64::NAN),
            minimum: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            maximum: ratios.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// A row of all builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Nanoseconds per call: the median of the rounds.
    pub nanoseconds: Each<f64>,
    /// The penalty there is without a cure.
    pub stock_to_glibc: Ratio,
    /// What is left of it.
    pub fast_to_glibc: Ratio,
    /// What the cure does.
    pub fast_to_stock: Ratio,
    /// Whether what is left is more than [`PENALTY`].
    pub above: bool,
}

impl Compared {
    /// From the times of each round.
    fn of(name: &str, times: &Each<Vec<f64>>) -> Self {
        let [glibc, stock, fast] = times.all();
        let middle = |times: &Vec<f64>| median(times).unwrap_or(f64::NAN);
        let fast_to_glibc = Ratio::of(fast, glibc);
        Self {
            name: name.to_owned(),
            nanoseconds: Each {
                glibc: middle(glibc),
                stock_musl: middle(stock),
                fast_musl: middle(fast),
            },
            stock_to_glibc: Ratio::of(stock, glibc),
            fast_to_glibc,
            fast_to_stock: Ratio::of(fast, stock),
            above: fast_to_glibc.median > PENALTY,
        }
    }
}

/// All that was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The builds.
    pub builds: Each<Build>,
    /// How often each row of each build was measured.
    pub rounds: u32,
    /// Whether the samples were short.
    pub quick: bool,
    /// The rows, the largest penalty first.
    pub rows: Vec<Compared>,
}

/// Lets this build and the others take turns at the rows.
///
/// # Errors
///
/// When there is not one build of each kind, or one of them fails.
pub fn run(
    others: &[PathBuf],
    rows: &[String],
    rounds: u32,
    quick: bool,
) -> Result<Comparison, CompareError> {
    let own = std::env::current_exe().map_err(CompareError::Own)?;
    let mut listed = Vec::new();
    for path in std::iter::once(&own).chain(others) {
        let list: Listed = ask(path, &["--list"])?;
        if let Some(row) = rows.iter().find(|row| !list.rows.contains(row)) {
            return Err(CompareError::NoRow {
                path: path.clone(),
                row: row.clone(),
            });
        }
        listed.push((path.clone(), list.build));
    }
    let builds = one_of_each(&listed)?;
    let empty = || vec![Vec::new(); rows.len()];
    let mut times = Each {
        glibc: empty(),
        stock_musl: empty(),
        fast_musl: empty(),
    };
    for round in 0..rounds {
        eprintln!("survey: round {} of {rounds}", round + 1);
        for (place, row) in rows.iter().enumerate() {
            for kind in turns(round) {
                let path = &listed
                    .iter()
                    .find(|(_, build)| build.kind == kind)
                    .ok_or(CompareError::Missing(kind))?
                    .0;
                let mut arguments = vec!["--row", row.as_str()];
                arguments.extend(quick.then_some("--quick"));
                let measured: Measured = ask(path, &arguments)?;
                times.of(kind)[place].extend(measured.rows.iter().map(|row| row.nanoseconds));
            }
        }
    }
    let compared = rows.iter().enumerate().map(|(place, row)| {
        let [glibc, stock_musl, fast_musl] = times.all().map(|times| times[place].clone());
        Compared::of(
            row,
            &Each {
                glibc,
                stock_musl,
                fast_musl,
            },
        )
    });
    Ok(Comparison {
        builds,
        rounds,
        quick,
        rows: sorted(compared.collect()),
    })
}

/// In which order builds come in a round: A B C, then C B A, so that none is always the first.
fn turns(round: u32) -> [Kind; 3] {
    let mut turns = Kind::ALL;
    if round % 2 == 1 {
        turns.reverse();
    }
    turns
}

/// Checks that there is one build of each kind.
fn one_of_each(listed: &[(PathBuf, Build)]) -> Result<Each<Build>, CompareError> {
    let the = |kind| {
        let mut of_kind = listed.iter().filter(|(_, build)| build.kind == kind);
        let (first, build) = of_kind.next().ok_or(CompareError::Missing(kind))?;
        if let Some((second, _)) = of_kind.next() {
            return Err(CompareError::Twice {
                kind,
                first: first.clone(),
                second: second.clone(),
            });
        }
        Ok(build.clone())
    };
    Ok(Each {
        glibc: the(Kind::Glibc)?,
        stock_musl: the(Kind::StockMusl)?,
        fast_musl: the(Kind::FastMusl)?,
    })
}

/// The largest penalty first.
fn sorted(mut rows: Vec<Compared>) -> Vec<Compared> {
    rows.sort_by(|a, b| b.fast_to_glibc.median.total_cmp(&a.fast_to_glibc.median));
    rows
}

/// What a build prints as JSON. It gets no environment, so that all get the same.
fn ask<T: DeserializeOwned>(path: &Path, arguments: &[&str]) -> Result<T, CompareError> {
    let mut command = Command::new(path);
    let output = command.arg("--json").args(arguments).env_clear().output();
    let output = output.map_err(|source| CompareError::Start {
        path: path.to_owned(),
        source,
    })?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().last();
        return Err(CompareError::Failed {
            path: path.to_owned(),
            status: output.status,
            said: last.map_or_else(String::new, |line| format!(": {line}")),
        });
    }
    serde_json::from_slice(&output.stdout).map_err(|source| CompareError::Foreign {
        path: path.to_owned(),
        source,
    })
}

impl Comparison {
    /// A table, and what it says in a few words.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let count =
            |above: &dyn Fn(&Compared) -> bool| self.rows.iter().filter(|row| above(row)).count();
        let version = self
            .builds
            .glibc
            .version
            .as_deref()
            .unwrap_or("of unknown version");
        let samples = if self.quick { ", of short samples" } else { "" };
        let mut text = format!(
            "Nanoseconds per call with glibc {version}, stock musl and fast musl: medians of {} \
             interleaved rounds{samples}. Ratios are medians of each round's ratio, with their range \
             in parentheses.\n\n\
             Above {PENALTY}x of glibc: {} of {} rows with fast musl, {} with stock musl.\n",
            self.rounds,
            count(&|row| row.above),
            self.rows.len(),
            count(&|row| row.stock_to_glibc.median > PENALTY),
        );
        if let Some(ratio) = self.noise() {
            let _ = write!(
                text,
                "\n**Warning:** the control, which no C library changes, is at {ratio:.2}x: the \
                 machine was too busy for ratios near 1 to mean much.\n"
            );
        }
        let header = "row | glibc | stock musl | fast musl | stock / glibc | fast / glibc | fast / stock | note";
        let mut cells = vec![header.split(" | ").map(str::to_owned).collect::<Vec<_>>()];
        cells.extend(self.rows.iter().map(line));
        text += "\n";
        text += &table(&cells);
        text
    }

    /// The control's ratio, if it is off.
    fn noise(&self) -> Option<f64> {
        let control = self.rows.iter().find(|row| row.name == CONTROL)?;
        [control.stock_to_glibc.median, control.fast_to_glibc.median]
            .into_iter()
            .find(|ratio| (ratio - 1.0).abs() > CONTROL_TOLERANCE)
    }
}

fn line(row: &Compared) -> Vec<String> {
    let Each {
        glibc,
        stock_musl,
        fast_musl,
    } = row.nanoseconds;
    let note = if row.above {
        format!("above {PENALTY}x")
    } else {
        String::new()
    };
    vec![
        row.name.clone(),
        nanoseconds(glibc),
        nanoseconds(stock_musl),
        nanoseconds(fast_musl),
        ratio(row.stock_to_glibc),
        ratio(row.fast_to_glibc),
        ratio(row.fast_to_stock),
        note,
    ]
}

/// Columns as wide as their widest cell; the first one to the left, the others to the right.
fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0).max(2))
        .collect();
    // Writing to a string cannot fail.
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        let cells = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| {
                if column == 0 {
                    format!("{cell:width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
        if place == 0 {
            let rules = widths.iter().enumerate().map(|(column, &width)| {
                if column == 0 {
                    "-".repeat(width)
                } else {
                    "-".repeat(width - 1) + ":"
                }
            });
            let _ = writeln!(text, "| {} |", rules.collect::<Vec<_>>().join(" | "));
        }
    }
    text
}

/// With as many digits as mean something.
fn nanoseconds(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.2}")
    } else if value < 10_000.0 {
        format!("{value:.0}")
    } else {
        format!("{:.1}k", value / 1000.0)
    }
}

fn ratio(ratio: Ratio) -> String {
    let Ratio {
        median,
        minimum,
        maximum,
    } = ratio;
    format!("{median:.2}x ({minimum:.2}-{maximum:.2})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(kind: Kind) -> Build {
        let version = (kind == Kind::Glibc).then(|| "2.41".to_owned());
        Build { kind, version }
    }

    fn compared(name: &str, times: [&[f64]; 3]) -> Compared {
        let [glibc, stock_musl, fast_musl] = times.map(<[f64]>::to_vec);
        Compared::of(
            name,
            &Each {
                glibc,
                stock_musl,
                fast_musl,
            },
        )
    }

    fn comparison(rows: Vec<Compared>) -> Comparison {
        let builds = Each {
            glibc: build(Kind::Glibc),
            stock_musl: build(Kind::StockMusl),
            fast_musl: build(Kind::FastMusl),
        };
        Comparison {
            builds,
            rounds: 3,
            quick: false,
            rows: sorted(rows),
        }
    }

    #[test]
    fn each_round_turns_the_order_around() {
        let kinds: Vec<_> = (0..3)
            .flat_map(turns)
            .map(|kind| kind.to_string())
            .collect();
        let there = ["glibc", "stock musl", "fast musl"];
        let back = ["fast musl", "stock musl", "glibc"];
        assert_eq!(kinds, [there, back, there].concat());
    }

    #[test]
    fn a_round_that_slows_all_down_changes_no_ratio() {
        let row = compared(
            "a",
            [&[2.0, 20.0, 4.0], &[4.0, 40.0, 8.0], &[3.0, 30.0, 2.0]],
        );
        assert_eq!(
            row.nanoseconds,
            Each {
                glibc: 4.0,
                stock_musl: 8.0,
                fast_musl: 3.0
            }
        );
        assert_eq!(
            row.stock_to_glibc,
            Ratio {
                median: 2.0,
                minimum: 2.0,
                maximum: 2.0
            }
        );
        assert_eq!(
            row.fast_to_glibc,
            Ratio {
                median: 1.5,
                minimum: 0.5,
                maximum: 1.5
            }
        );
        assert_eq!(
            row.fast_to_stock,
            Ratio {
                median: 0.75,
                minimum: 0.25,
                maximum: 0.75
            }
        );
        assert!(row.above);
    }

    #[test]
    fn penalties_come_first_and_are_pointed_out() {
        let comparison = comparison(vec![
            compared("none", [&[10.0], &[30.0], &[11.9]]),
            compared("large", [&[10.0], &[30.0], &[25.0]]),
            compared("small", [&[12_345.0], &[20_000.0], &[15_000.0]]),
        ]);
        let text = comparison.to_markdown();
        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .skip(2)
            .collect();
        let cells = |at: usize| lines[at].split('|').map(str::trim).collect::<Vec<_>>();
        assert_eq!(
            cells(0)[1..9],
            [
                "large",
                "10.00",
                "30.00",
                "25.00",
                "3.00x (3.00-3.00)",
                "2.50x (2.50-2.50)",
                "0.83x (0.83-0.83)",
                "above 1.2x",
            ]
        );
        assert_eq!(
            (cells(1)[1], cells(1)[2], cells(1)[8]),
            ("small", "12.3k", "above 1.2x")
        );
        assert_eq!((cells(2)[1], cells(2)[8]), ("none", ""));
        assert!(
            text.contains("2 of 3 rows with fast musl, 3 with stock musl"),
            "{text}"
        );
        assert!(text.contains("glibc 2.41"), "{text}");
    }

    #[test]
    fn all_lines_of_the_table_are_equally_long() {
        let text = comparison(vec![compared("x", [&[1.0], &[1e6], &[20.0]])]).to_markdown();
        let lengths: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(str::len)
            .collect();
        assert_eq!(lengths.len(), 3);
        assert!(lengths.iter().all(|&length| length == lengths[0]), "{text}");
    }

    #[test]
    fn a_control_that_is_off_is_told() {
        for (fast, warned) in [(100.0, false), (109.0, false), (115.0, true), (85.0, true)] {
            let text =
                comparison(vec![compared(CONTROL, [&[100.0], &[100.0], &[fast]])]).to_markdown();
            assert_eq!(text.contains("**Warning:**"), warned, "{text}");
        }
    }

    #[test]
    fn there_is_one_build_of_each_kind() {
        let listed = |kinds: &[Kind]| {
            let paths = ["a", "b", "c"].map(PathBuf::from);
            let builds: Vec<_> = paths
                .into_iter()
                .zip(kinds)
                .map(|(path, &kind)| (path, build(kind)))
                .collect();
            one_of_each(&builds).map_err(|error| error.to_string())
        };
        let [glibc, stock, fast] = Kind::ALL;
        let each = listed(&[fast, glibc, stock]).expect("one of each");
        assert_eq!(each.all(), [&build(glibc), &build(stock), &build(fast)]);
        let error = listed(&[glibc, stock]).expect_err("no fast musl");
        assert!(
            error.contains("no build for fast musl") && error.contains("--features fast"),
            "{error}"
        );
        let error = listed(&[fast, fast, glibc]).expect_err("no stock musl");
        assert!(error.contains("no build for stock musl"), "{error}");
        let error = listed(&[glibc, glibc, stock]).expect_err("two of a kind");
        assert!(
            error.contains("a and b are both builds for glibc"),
            "{error}"
        );
    }
}

//! Runs builds in turns, row by row.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use serde::de::DeserializeOwned;

use crate::compare::{Compared, Comparison, Each};
use crate::kind::{Build, Kind, Listed, Measured};

/// Why builds cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum TurnsError {
    /// This program's path is unknown.
    #[error("cannot find this program's own executable: {0}; call it by its full path")]
    Own(#[source] io::Error),
    /// A kind of build is missing.
    #[error("there is no build for {0} among these; make one with `{command}` and pass its path", command = .0.command())]
    Missing(Kind),
    /// Two builds are of the same kind.
    #[error("{} and {} are both builds for {kind}; pass one of each kind", first.display(), second.display())]
    Twice {
        /// The kind.
        kind: Kind,
        /// One of them.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// A build has other sources.
    #[error("{} has no row {row:?}; build all from the same sources", path.display())]
    NoRow {
        /// The build.
        path: PathBuf,
        /// The missing row.
        row: String,
    },
    /// A build cannot be started.
    #[error("cannot start {}: {source}; check the path", path.display())]
    Start {
        /// The build.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A build failed.
    #[error("{}: {status}{said}", path.display())]
    Failed {
        /// The build.
        path: PathBuf,
        /// Its exit status.
        status: ExitStatus,
        /// The last line of its standard error, after a colon.
        said: String,
    },
    /// The output is not this program's.
    #[error("{} is not a build of this program: its output is not the expected JSON ({source})", path.display())]
    Foreign {
        /// The build.
        path: PathBuf,
        /// The parse error.
        source: serde_json::Error,
    },
}

impl TurnsError {
    /// Returns the exit code for this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Own(_) | Self::Failed { .. } => 1,
            _ => 2,
        }
    }
}

/// Runs this build and the others in turns over the rows, in the given rounds.
///
/// # Errors
///
/// If there is not exactly one build of each kind, or one of them fails.
pub fn run(
    others: &[PathBuf],
    rows: &[String],
    rounds: Range<u32>,
    quick: bool,
) -> Result<Comparison, TurnsError> {
    let own = std::env::current_exe().map_err(TurnsError::Own)?;
    let mut listed = Vec::new();
    for path in std::iter::once(&own).chain(others) {
        let list: Listed = ask(path, &["--list"])?;
        if let Some(row) = rows.iter().find(|row| !list.rows.contains(row)) {
            return Err(TurnsError::NoRow {
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
    let count = rounds.end - rounds.start;
    for (number, round) in (1..).zip(rounds) {
        eprintln!("survey: round {number} of {count}");
        for (place, row) in rows.iter().enumerate() {
            for kind in turns(round) {
                let path = &listed
                    .iter()
                    .find(|(_, build)| build.kind == kind)
                    .ok_or(TurnsError::Missing(kind))?
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
    Ok(Comparison::new(builds, count, quick, compared.collect()))
}

/// Returns the order of builds in a round, from 1: A B C, then C B A, so none is always the first.
fn turns(round: u32) -> [Kind; 3] {
    let mut turns = Kind::ALL;
    if round.is_multiple_of(2) {
        turns.reverse();
    }
    turns
}

/// Checks that there is one build of each kind.
fn one_of_each(listed: &[(PathBuf, Build)]) -> Result<Each<Build>, TurnsError> {
    let the = |kind| {
        let mut of_kind = listed.iter().filter(|(_, build)| build.kind == kind);
        let (first, build) = of_kind.next().ok_or(TurnsError::Missing(kind))?;
        if let Some((second, _)) = of_kind.next() {
            return Err(TurnsError::Twice {
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

/// Parses a build's JSON output. The environment is empty, so it is the same for all builds.
fn ask<T: DeserializeOwned>(path: &Path, arguments: &[&str]) -> Result<T, TurnsError> {
    let mut command = Command::new(path);
    let output = command.arg("--json").args(arguments).env_clear().output();
    let output = output.map_err(|source| TurnsError::Start {
        path: path.to_owned(),
        source,
    })?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().last();
        return Err(TurnsError::Failed {
            path: path.to_owned(),
            status: output.status,
            said: last.map_or_else(String::new, |line| format!(": {line}")),
        });
    }
    serde_json::from_slice(&output.stdout).map_err(|source| TurnsError::Foreign {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::samples::build;

    #[test]
    fn each_round_turns_the_order_around() {
        let kinds: Vec<_> = (1..4)
            .flat_map(turns)
            .map(|kind| kind.to_string())
            .collect();
        let there = ["glibc", "stock musl", "fast musl"];
        let back = ["fast musl", "stock musl", "glibc"];
        assert_eq!(kinds, [there, back, there].concat());
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

//! Compares the times of builds.

use serde::{Deserialize, Serialize};

use crate::kind::{Build, Kind};
use crate::measure::median;

/// Rows with at least this ratio to glibc's time are listed separately.
pub const PENALTY: f64 = 1.2;

/// One value per build.
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
    pub(crate) fn all(&self) -> [&T; 3] {
        [&self.glibc, &self.stock_musl, &self.fast_musl]
    }

    pub(crate) fn of(&mut self, kind: Kind) -> &mut T {
        match kind {
            Kind::Glibc => &mut self.glibc,
            Kind::StockMusl => &mut self.stock_musl,
            Kind::FastMusl => &mut self.fast_musl,
        }
    }
}

/// A ratio measured in several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

impl Ratio {
    /// Compares round by round, so that what slows down all builds in one round cancels out.
    fn of(times: &[f64], by: &[f64]) -> Self {
        let ratios: Vec<f64> = times.iter().zip(by).map(|(time, by)| time / by).collect();
        Self {
            median: median(&ratios).unwrap_or(f64::NAN),
            minimum: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            maximum: ratios.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// A row, compared across the builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Nanoseconds per call: the median of the rounds.
    pub nanoseconds: Each<f64>,
    /// The penalty of stock musl.
    pub stock_to_glibc: Ratio,
    /// The penalty that remains with fast musl.
    pub fast_to_glibc: Ratio,
    /// The gain of fast musl.
    pub fast_to_stock: Ratio,
    /// Whether the remaining penalty is above [`PENALTY`].
    pub above: bool,
}

impl Compared {
    /// Compares the times of all rounds.
    pub(crate) fn of(name: &str, times: &Each<Vec<f64>>) -> Self {
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

/// The result of a comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The builds.
    pub builds: Each<Build>,
    /// How often each row of each build was measured.
    pub rounds: u32,
    /// Whether samples were short.
    pub quick: bool,
    /// The rows, largest penalty first.
    pub rows: Vec<Compared>,
}

impl Comparison {
    /// Joins comparisons of one round each, or returns `None` if there are none. Rows that are not
    /// in all of them are left out.
    #[must_use]
    pub fn joined(rounds: &[Self]) -> Option<Self> {
        let (first, _) = rounds.split_first()?;
        let rows = first.rows.iter().filter_map(|row| {
            let mut times = Each {
                glibc: Vec::new(),
                stock_musl: Vec::new(),
                fast_musl: Vec::new(),
            };
            for round in rounds {
                let same = round.rows.iter().find(|same| same.name == row.name)?;
                times.glibc.push(same.nanoseconds.glibc);
                times.stock_musl.push(same.nanoseconds.stock_musl);
                times.fast_musl.push(same.nanoseconds.fast_musl);
            }
            Some(Compared::of(&row.name, &times))
        });
        let count = rounds.iter().map(|round| round.rounds).sum();
        Some(Self::new(
            first.builds.clone(),
            count,
            first.quick,
            rows.collect(),
        ))
    }

    pub(crate) fn new(
        builds: Each<Build>,
        rounds: u32,
        quick: bool,
        mut rows: Vec<Compared>,
    ) -> Self {
        rows.sort_by(|a, b| b.fast_to_glibc.median.total_cmp(&a.fast_to_glibc.median));
        Self {
            builds,
            rounds,
            quick,
            rows,
        }
    }
}

/// Comparisons for tests.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    pub(crate) fn build(kind: Kind) -> Build {
        let version = (kind == Kind::Glibc).then(|| "2.41".to_owned());
        Build { kind, version }
    }

    pub(crate) fn compared(name: &str, times: [&[f64]; 3]) -> Compared {
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

    pub(crate) fn comparison(rows: Vec<Compared>) -> Comparison {
        let builds = Each {
            glibc: build(Kind::Glibc),
            stock_musl: build(Kind::StockMusl),
            fast_musl: build(Kind::FastMusl),
        };
        Comparison::new(builds, 3, false, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{compared, comparison};
    use super::*;

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
    fn the_largest_penalty_comes_first() {
        let rows =
            [1.1, 2.5, 0.9].map(|fast| compared(&fast.to_string(), [&[1.0], &[1.0], &[fast]]));
        let names = comparison(rows.to_vec())
            .rows
            .into_iter()
            .map(|row| row.name);
        assert_eq!(names.collect::<Vec<_>>(), ["2.5", "1.1", "0.9"]);
    }

    #[test]
    fn rounds_joined_are_as_if_measured_at_once() {
        let times = [
            [[2.0], [4.0], [3.0]],
            [[20.0], [40.0], [30.0]],
            [[4.0], [8.0], [2.0]],
        ];
        let rounds = times.map(|[glibc, stock, fast]| {
            let mut one = comparison(vec![
                compared("a", [&glibc, &stock, &fast]),
                compared("b", [&[1.0], &[1.0], &fast]),
            ]);
            one.rounds = 1;
            one
        });
        let at_once = comparison(vec![
            compared(
                "a",
                [&[2.0, 20.0, 4.0], &[4.0, 40.0, 8.0], &[3.0, 30.0, 2.0]],
            ),
            compared("b", [&[1.0; 3], &[1.0; 3], &[3.0, 30.0, 2.0]]),
        ]);
        let joined = Comparison::joined(&rounds).expect("there are rounds");
        assert_eq!((joined.rows, joined.rounds), (at_once.rows, 3));
        assert!(Comparison::joined(&[]).is_none());
    }
}

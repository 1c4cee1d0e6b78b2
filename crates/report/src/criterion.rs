//! What Criterion is told and what it leaves behind.

use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Criterion cuts the names of its folders there.
const LONGEST_NAME: usize = 64;

/// How a benchmark is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sampling {
    /// Number of samples.
    pub samples: u32,
    /// Seconds before the first sample.
    pub warm_up_seconds: f64,
    /// Seconds for all samples together, about.
    pub measurement_seconds: f64,
}

impl Sampling {
    /// Exactly this many samples of one iteration each, after one iteration to
    /// warm up: no time is short enough for Criterion to do less.
    #[must_use]
    pub fn counted(samples: u32) -> Self {
        Self {
            samples,
            warm_up_seconds: 0.000_001,
            measurement_seconds: 0.000_001,
        }
    }

    /// The arguments by which a benchmark is measured so.
    #[must_use]
    pub fn arguments(&self, group: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--bench".into(), "--noplot".into()];
        for (name, value) in [
            ("--sample-size", self.samples.to_string()),
            ("--warm-up-time", self.warm_up_seconds.to_string()),
            ("--measurement-time", self.measurement_seconds.to_string()),
            // Intervals of confidence are not used. The default takes longer
            // than many a benchmark, fewer than this is warned about.
            ("--nresamples", "1001".to_owned()),
        ] {
            arguments.extend([name.into(), value.into()]);
        }
        arguments.extend(only(group));
        arguments
    }
}

/// The arguments that choose one benchmark.
#[must_use]
pub fn only(group: &str) -> [OsString; 3] {
    // The last two so that a name may begin with a dash.
    ["--exact".into(), "--".into(), group.into()]
}

/// What is wrong with a file that Criterion should have written.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// It is not there.
    #[error("no {name} was written: {source}")]
    Read {
        /// The file.
        name: &'static str,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// It has another form.
    #[error("{name} cannot be read: {source}")]
    Json {
        /// The file.
        name: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It holds something that is no time.
    #[error("{name} says {value}, which is no time")]
    NoTime {
        /// The file.
        name: &'static str,
        /// What it says.
        value: f64,
    },
}

/// Times of one iteration in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimates {
    /// The median over samples.
    pub median: f64,
    /// The median absolute deviation from it.
    pub deviation: f64,
}

impl Estimates {
    /// Reads what the last run in this folder has left for a benchmark.
    ///
    /// # Errors
    ///
    /// When it has left nothing of use.
    pub fn read(home: &Path, group: &str) -> Result<Self, ResultError> {
        Self::parse(&read(home, group, ESTIMATES)?)
    }

    /// Takes the two of them from `estimates.json`.
    ///
    /// # Errors
    ///
    /// When the text has another form or holds no times.
    pub fn parse(text: &str) -> Result<Self, ResultError> {
        #[derive(Deserialize)]
        struct Estimate {
            point_estimate: f64,
        }
        #[derive(Deserialize)]
        struct File {
            median: Estimate,
            median_abs_dev: Estimate,
        }
        let file: File = json(text, ESTIMATES)?;
        let (median, deviation) = (
            file.median.point_estimate,
            file.median_abs_dev.point_estimate,
        );
        for (value, fine) in [(median, median > 0.0), (deviation, deviation >= 0.0)] {
            if !fine || !value.is_finite() {
                let name = ESTIMATES;
                return Err(ResultError::NoTime { name, value });
            }
        }
        Ok(Self { median, deviation })
    }
}

/// How many iterations the samples of the last run in this folder had.
///
/// # Errors
///
/// When it has left nothing of use.
pub fn iterations(home: &Path, group: &str) -> Result<f64, ResultError> {
    #[derive(Deserialize)]
    struct File {
        iters: Vec<f64>,
    }
    let file: File = json(&read(home, group, SAMPLE)?, SAMPLE)?;
    Ok(file.iters.iter().sum())
}

const ESTIMATES: &str = "estimates.json";
const SAMPLE: &str = "sample.json";

fn read(home: &Path, group: &str, name: &'static str) -> Result<String, ResultError> {
    let path = home.join(directory_name(group)).join("new").join(name);
    std::fs::read_to_string(path).map_err(|source| ResultError::Read { name, source })
}

fn json<'a, T: Deserialize<'a>>(text: &'a str, name: &'static str) -> Result<T, ResultError> {
    serde_json::from_str(text).map_err(|source| ResultError::Json { name, source })
}

/// The folder that Criterion makes for a benchmark.
#[must_use]
pub fn directory_name(group: &str) -> String {
    let forbidden = ['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'];
    let mut name = group.replace(forbidden, "_");
    if name.len() > LONGEST_NAME {
        let end = name.floor_char_boundary(LONGEST_NAME);
        name.truncate(end);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_read_as_criterion_writes_them() {
        let text = r#"{"mean":{"point_estimate":3.0},
            "median":{"confidence_interval":{"confidence_level":0.95,"lower_bound":1.0,
            "upper_bound":2.0},"point_estimate":10847756.0,"standard_error":5.0},
            "median_abs_dev":{"point_estimate":457413.25},"slope":null}"#;
        let expected = Estimates {
            median: 10_847_756.0,
            deviation: 457_413.25,
        };
        assert_eq!(Estimates::parse(text).expect("it is well formed"), expected);
    }

    #[test]
    fn other_files_are_refused() {
        let of = |median: &str| {
            format!(
                r#"{{"median":{{"point_estimate":{median}}},"median_abs_dev":{{"point_estimate":0}}}}"#
            )
        };
        assert!(Estimates::parse(&of("1")).is_ok());
        for text in [of("0"), of("-1"), of("null"), of("\"1\""), String::new()] {
            let error = Estimates::parse(&text).expect_err(&text).to_string();
            assert!(error.starts_with("estimates.json "), "{error}");
        }
    }

    #[test]
    fn folders_are_named_as_criterion_names_them() {
        assert_eq!(
            directory_name("single thread, OS entropy"),
            "single thread, OS entropy"
        );
        assert_eq!(directory_name(r#"a?"/\*<>:|^b"#), "a__________b");
        assert_eq!(directory_name(&"x".repeat(70)), "x".repeat(64));
        assert_eq!(directory_name(&"ä".repeat(40)), "ä".repeat(32));
        assert_eq!(directory_name(&format!("x{}", "ä".repeat(40))).len(), 63);
    }

    #[test]
    fn times_are_written_without_exponents() {
        let arguments = Sampling::counted(10).arguments("churn");
        let expected: Vec<OsString> = ["--warm-up-time", "0.000001"].map(Into::into).into();
        assert!(arguments.windows(2).any(|pair| pair == expected));
        assert_eq!(arguments.last(), Some(&"churn".into()));
    }
}

//! Criterion's arguments and output files.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::child::RunError;

/// Criterion truncates folder names to this length.
const LONGEST_NAME: usize = 64;

/// How a benchmark is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Sampling {
    /// Number of samples.
    pub(crate) samples: u32,
    /// Seconds before the first sample.
    pub(crate) warm_up_seconds: f64,
    /// Approximate seconds for all samples together.
    pub(crate) measurement_seconds: f64,
}

impl Sampling {
    /// Exactly this many samples of one iteration each, after one warm-up
    /// iteration: these times are too short for Criterion to do more.
    pub(crate) fn counted(samples: u32) -> Self {
        Self {
            samples,
            warm_up_seconds: 0.000_001,
            measurement_seconds: 0.000_001,
        }
    }

    /// Returns the arguments that measure a benchmark this way.
    pub(crate) fn arguments(&self, group: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--bench".into(), "--noplot".into()];
        for (name, value) in [
            ("--sample-size", self.samples.to_string()),
            ("--warm-up-time", self.warm_up_seconds.to_string()),
            ("--measurement-time", self.measurement_seconds.to_string()),
            // Confidence intervals are not used. The default takes longer than many
            // benchmarks, and Criterion warns below this number.
            ("--nresamples", "1001".to_owned()),
        ] {
            arguments.extend([name.into(), value.into()]);
        }
        arguments.extend(only(group));
        arguments
    }
}

/// Returns the arguments that select one benchmark.
pub(crate) fn only(group: &str) -> [OsString; 3] {
    // The last two allow a name that begins with a dash.
    ["--exact".into(), "--".into(), group.into()]
}

/// Returns median and median absolute deviation of the times of one iteration, in nanoseconds, from the last run's
/// output in this folder.
pub(crate) fn estimates(home: &Path, group: &str) -> Result<(f64, f64), RunError> {
    estimates_in(&read(home, group, ESTIMATES)?)
}

fn estimates_in(text: &str) -> Result<(f64, f64), RunError> {
    let file = json(text, ESTIMATES)?;
    let median = number(ESTIMATES, &file, "/median/point_estimate")?;
    let deviation = number(ESTIMATES, &file, "/median_abs_dev/point_estimate")?;
    for (value, fine) in [(median, median > 0.0), (deviation, deviation >= 0.0)] {
        if !fine || !value.is_finite() {
            let why = format!("{ESTIMATES} contains {value}, which is not a time");
            return Err(RunError::NoResult(why));
        }
    }
    Ok((median, deviation))
}

/// Returns the number of iterations of the last run's samples in this folder.
pub(crate) fn iterations(home: &Path, group: &str) -> Result<f64, RunError> {
    let file = json(&read(home, group, SAMPLE)?, SAMPLE)?;
    let samples = file.pointer("/iters").and_then(Value::as_array);
    let samples =
        samples.ok_or_else(|| RunError::NoResult(format!("{SAMPLE} has no iterations")))?;
    Ok(samples.iter().filter_map(Value::as_f64).sum())
}

/// Returns the number at this path of a result; `of` names the result in errors.
pub(crate) fn number(of: &str, result: &Value, path: &str) -> Result<f64, RunError> {
    let number = result.pointer(path).and_then(Value::as_f64);
    number.ok_or_else(|| RunError::NoResult(format!("{of} has no number at {path}")))
}

const ESTIMATES: &str = "estimates.json";
const SAMPLE: &str = "sample.json";

fn read(home: &Path, group: &str, name: &'static str) -> Result<String, RunError> {
    let path = home.join(directory_name(group)).join("new").join(name);
    std::fs::read_to_string(path)
        .map_err(|error| RunError::NoResult(format!("no {name} was written: {error}")))
}

fn json(text: &str, name: &str) -> Result<Value, RunError> {
    serde_json::from_str(text)
        .map_err(|error| RunError::NoResult(format!("cannot parse {name}: {error}")))
}

/// Returns the folder name that Criterion uses for a benchmark.
pub(crate) fn directory_name(group: &str) -> String {
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
        let estimates = estimates_in(text).expect("it is well formed");
        assert_eq!(estimates, (10_847_756.0, 457_413.25));
    }

    #[test]
    fn other_files_are_refused() {
        let of = |median: &str| {
            format!(
                r#"{{"median":{{"point_estimate":{median}}},"median_abs_dev":{{"point_estimate":0}}}}"#
            )
        };
        assert!(estimates_in(&of("1")).is_ok());
        for text in [of("0"), of("-1"), of("null"), of("\"1\""), String::new()] {
            let error = estimates_in(&text).expect_err(&text).to_string();
            assert!(error.contains("estimates.json"), "{error}");
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

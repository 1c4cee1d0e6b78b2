//! Summaries of several numbers.

use serde::Serialize;

/// A summary of a few values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) minimum: f64,
    /// As many values are smaller as are larger.
    pub(crate) median: f64,
    pub(crate) maximum: f64,
}

impl Summary {
    /// Summarises these values, if there are any.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&minimum, &maximum) = (values.first()?, values.last()?);
        // For an odd number of values these are the same.
        let [lower, upper] = [(values.len() - 1) / 2, values.len() / 2];
        let median = f64::midpoint(values[lower], values[upper]);
        Some(Self {
            minimum,
            median,
            maximum,
        })
    }

    /// Divides each value by a number.
    pub(crate) fn divided_by(self, number: f64) -> Self {
        Self {
            minimum: self.minimum / number,
            median: self.median / number,
            maximum: self.maximum / number,
        }
    }
}

/// Converts to a floating-point number; counts are small enough to be exact.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn as_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(values: &[f64]) -> Option<f64> {
        Summary::of(values.iter().copied()).map(|summary| summary.median)
    }

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 3.0, 2.0, 1.0]), Some(2.5));
    }

    #[test]
    fn the_range_holds_all() {
        let summary = Summary::of([2.0, 8.0, 4.0]).expect("there are values");
        let expected = Summary {
            minimum: 1.0,
            median: 2.0,
            maximum: 4.0,
        };
        assert_eq!(summary.divided_by(2.0), expected);
    }
}

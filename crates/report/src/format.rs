//! Formats numbers.

use crate::statistics::Summary;

/// Nanoseconds as milliseconds, without the unit.
pub(crate) fn milliseconds(nanoseconds: f64) -> String {
    let value = nanoseconds / 1e6;
    if value < 1.0 {
        format!("{value:.3}")
    } else if value < 100.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}

/// Formats like `4.26 (4.18–4.56)`.
pub(crate) fn with_range(summary: Summary, show: fn(f64) -> String) -> String {
    let [median, minimum, maximum] = [summary.median, summary.minimum, summary.maximum].map(show);
    format!("{median} ({minimum}–{maximum})")
}

/// Formats like `1.84x`.
pub(crate) fn ratio(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}x")
    } else {
        format!("{value:.1}x")
    }
}

/// Bytes as mebibytes, without the unit.
pub(crate) fn mebibytes(bytes: f64) -> String {
    format!("{:.2}", bytes / f64::from(1 << 20))
}

/// A number with two decimals.
pub(crate) fn hundredths(value: f64) -> String {
    format!("{value:.2}")
}

/// A number in thousands.
pub(crate) fn thousands(value: f64) -> String {
    count(value / 1e3)
}

/// A mean count, such as `0.3` or `110,002`.
pub(crate) fn count(value: f64) -> String {
    // Also turns a negative zero into zero.
    if value.abs() < 0.05 {
        return "0".to_owned();
    }
    if value.abs() < 10.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// A duration, such as `2 min 05 s`.
pub(crate) fn duration(seconds: u64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match minutes {
        0 => format!("{rest} s"),
        1..60 => format!("{minutes} min {rest:02} s"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_fit_the_size() {
        let times = [987_654.0, 4_256_000.0, 99_990_000.0, 145_860_000.0];
        let texts = times.map(milliseconds);
        assert_eq!(texts, ["0.988", "4.26", "99.99", "145.9"]);
        assert_eq!([0.944, 1.0, 12.34].map(ratio), ["0.94x", "1.00x", "12.3x"]);
        assert_eq!(mebibytes(1_572_864.0), "1.50");
    }

    #[test]
    fn counts_are_grouped() {
        let values = [-0.01, 0.34, 9.96, 12.0, 999.0, 1_000.0, 110_002.4, -1_234.0];
        let texts = values.map(count);
        let expected = [
            "0", "0.3", "10.0", "12", "999", "1,000", "110,002", "-1,234",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn durations() {
        let texts = [5, 65, 3_700].map(duration);
        assert_eq!(texts, ["5 s", "1 min 05 s", "1 h 01 min"]);
    }
}

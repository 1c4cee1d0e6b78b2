//! Durations in Go's syntax.

use std::time::Duration;

/// The longest duration that Broker accepts.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Parses a duration to nanoseconds: numbers with units, such as `1m30s` or `-1.5h`.
///
/// The syntax is that of Go's `time.ParseDuration`.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0_i128;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let unit = nanoseconds(unit)?;
        sum = sum.checked_add(parts(whole)?.checked_mul(unit)?)?;
        // Further digits are below a nanosecond.
        let fraction = &fraction[..fraction.len().min(16)];
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        sum = sum.checked_add(parts(fraction)? * unit / scale)?;
        rest = after;
    }
    i64::try_from(if negative { -sum } else { sum }).ok()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len())
}

fn parts(digits: &str) -> Option<i128> {
    if digits.is_empty() {
        Some(0)
    } else {
        digits.parse().ok()
    }
}

fn nanoseconds(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        // The micro sign, and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Checks that Broker accepts the duration. Returns `None` for 0, which stands for the default, and
/// a millisecond for less than that.
pub(super) fn within_bounds(nanoseconds: i64) -> Result<Option<Duration>, &'static str> {
    const WRONG: &str = "is out of range: it must be between 0 and a year (8760h)";
    let time = Duration::from_nanos(nanoseconds.try_into().map_err(|_| WRONG)?);
    if time > YEAR {
        return Err(WRONG);
    }
    Ok((!time.is_zero()).then(|| time.max(Duration::from_millis(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_gos_form() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("5s", Some(5_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("-1ms", Some(-1_000_000)),
            ("+2us3ns", Some(2_003)),
            ("1µs", Some(1_000)),
            ("1μs", Some(1_000)),
            ("0.99999999999999999999s", Some(999_999_999)),
            ("9223372036854775807ns", Some(i64::MAX)),
            ("9223372036854775808ns", None),
            ("99999999999999999999999999999999999999999h", None),
            ("170141183460469231731687303715884105727h", None),
            ("", None),
            ("-", None),
            ("5", None),
            ("s", None),
            (".s", None),
            ("5 s", None),
            ("5S", None),
            ("5d", None),
            ("--5s", None),
            ("1s2", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn brokers_bounds_hold() {
        assert_eq!(within_bounds(0), Ok(None));
        let second = Duration::from_secs(1);
        assert_eq!(within_bounds(1_000_000_000), Ok(Some(second)));
        for short in [1, 999_999, 1_000_000] {
            assert_eq!(within_bounds(short), Ok(Some(Duration::from_millis(1))));
        }
        for wrong in [-1, i64::MAX] {
            assert!(within_bounds(wrong).is_err(), "{wrong}");
        }
    }
}

//! Times in nats-server's formats.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Converts instants to times of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// The same moment on both clocks.
    pub(super) instant: Instant,
    pub(super) time: SystemTime,
}

impl Clock {
    /// Returns a clock that is set now.
    pub(super) fn new() -> Self {
        Self {
            instant: Instant::now(),
            time: SystemTime::now(),
        }
    }

    /// Returns the time of an instant, in the format of [`timestamp`].
    pub(super) fn timestamp(&self, at: Instant) -> String {
        let later = at.saturating_duration_since(self.instant);
        let earlier = self.instant.saturating_duration_since(at);
        timestamp(self.time + later - earlier)
    }
}

/// Formats a time as in RFC 3339, in UTC.
pub(super) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = since.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Returns year, month and day of the Gregorian calendar for a number of days since 1 January 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = if leap { 366 } else { 365 };
        if days < length {
            let february = if leap { 29 } else { 28 };
            let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let mut month = 1;
            for length in months {
                if days < length {
                    break;
                }
                days -= length;
                month += 1;
            }
            return (year, month, days + 1);
        }
        days -= length;
        year += 1;
    }
}

/// Formats a duration as nats-server does, for example `1d2h3m4s`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [
        (seconds / 86_400 / 365, 'y'),
        (seconds / 86_400 % 365, 'd'),
        (seconds / 3600 % 24, 'h'),
        (seconds / 60 % 60, 'm'),
    ];
    let mut text = String::new();
    for (value, unit) in parts {
        if value > 0 || !text.is_empty() {
            let _ = write!(text, "{value}{unit}");
        }
    }
    let _ = write!(text, "{}s", seconds % 60);
    text
}

/// Formats a round-trip time as Go formats durations, for example `1.5ms`. Times between one
/// microsecond and one millisecond are truncated to microseconds, as nats-server measures them.
pub(super) fn round_trip(time: Duration) -> String {
    let nanos = time.as_nanos();
    let nanos = if (1_001..1_000_000).contains(&nanos) {
        nanos / 1000 * 1000
    } else {
        nanos
    };
    let (unit, name) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "\u{b5}s"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let minutes = match nanos / 60_000_000_000 {
        0 => String::new(),
        minutes if minutes < 60 => format!("{minutes}m"),
        minutes => format!("{}h{}m", minutes / 60, minutes % 60),
    };
    let rest = nanos % 60_000_000_000;
    let fraction = match rest % unit {
        0 => String::new(),
        part => {
            // As many digits as the unit has zeros.
            let digits = (unit + part).to_string();
            format!(".{}", digits[1..].trim_end_matches('0'))
        }
    };
    format!("{minutes}{}{fraction}{name}", rest / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn durations_are_written_as_nats_server_does() {
        for (seconds, text) in [
            (0, "0s"),
            (61, "1m1s"),
            (3600, "1h0m0s"),
            (90_061, "1d1h1m1s"),
            (366 * 86_400 + 1, "1y1d0h0m1s"),
            (365 * 86_400, "1y0d0h0m0s"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn round_trips_are_written_as_go_does() {
        for (nanos, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_000, "1\u{b5}s"),
            (345_678, "345\u{b5}s"),
            (1_000_000, "1ms"),
            (1_234_567, "1.234567ms"),
            (1_500_000_000, "1.5s"),
            (1_000_000_001, "1.000000001s"),
            (62_500_000_000, "1m2.5s"),
            (3_600_000_000_000, "1h0m0s"),
        ] {
            assert_eq!(round_trip(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn a_clock_converts_earlier_and_later_instants() {
        let clock = Clock {
            instant: Instant::now(),
            time: UNIX_EPOCH + Duration::from_secs(60),
        };
        let second = Duration::from_secs(1);
        assert_eq!(
            clock.timestamp(clock.instant),
            "1970-01-01T00:01:00.000000Z"
        );
        assert_eq!(
            clock.timestamp(clock.instant + second),
            "1970-01-01T00:01:01.000000Z"
        );
        if let Some(before) = clock.instant.checked_sub(second) {
            assert_eq!(clock.timestamp(before), "1970-01-01T00:00:59.000000Z");
        }
    }
}

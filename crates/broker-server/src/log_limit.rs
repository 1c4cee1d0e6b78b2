//! Limits how often one place in the code logs.

use std::time::{Duration, Instant};

/// The interval that the limit applies to.
const WINDOW: Duration = Duration::from_secs(1);

/// What to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Log it.
    Log,
    /// Count it without logging.
    Omit,
}

/// Allows a few log lines per second and counts the rest.
///
/// Before judging an event, and from time to time, the owner calls [`omitted`](Self::omitted) and
/// logs the count that it returns.
#[derive(Debug)]
pub(super) struct LogLimit {
    most: u32,
    /// Time of the first event in this interval.
    since: Option<Instant>,
    logged: u32,
    omitted: u64,
}

impl LogLimit {
    /// Allows `most` events per second.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            since: None,
            logged: 0,
            omitted: 0,
        }
    }

    /// Judges an event that happens now.
    pub(super) fn judge(&mut self, now: Instant) -> Verdict {
        if self.is_over(now) {
            self.since = Some(now);
            self.logged = 0;
        }
        if self.logged < self.most {
            self.logged += 1;
            Verdict::Log
        } else {
            self.omitted += 1;
            Verdict::Omit
        }
    }

    /// Returns the number of omitted events of a completed interval, once.
    pub(super) fn omitted(&mut self, now: Instant) -> Option<u64> {
        let due = self.omitted > 0 && self.is_over(now);
        due.then(|| std::mem::take(&mut self.omitted))
    }

    /// Returns when the next count is available, if there will be one.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since
            .filter(|_| self.omitted > 0)
            .map(|since| since + WINDOW)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Log, Omit};
    use super::*;

    #[test]
    fn so_many_a_second_are_logged_and_the_rest_is_counted() {
        let start = Instant::now();
        let mut limit = LogLimit::new(2);
        // Milliseconds, the omitted events until then, and the verdict on another event.
        for (at, omitted, verdict) in [
            (0, None, Log),
            (10, None, Log),
            (20, None, Omit),
            (999, None, Omit),
            (1000, Some(2), Log),
            (1500, None, Log),
            (1999, None, Omit),
            (9000, Some(1), Log),
            (20_000, None, Log),
            (20_001, None, Log),
            (20_002, None, Omit),
        ] {
            let now = start + Duration::from_millis(at);
            assert_eq!(limit.omitted(now), omitted, "at {at}");
            assert_eq!(limit.judge(now), verdict, "at {at}");
        }
        assert_eq!(limit.due(), Some(start + Duration::from_secs(21)));
    }

    #[test]
    fn nothing_is_due_while_nothing_was_left_out() {
        let now = Instant::now();
        let mut limit = LogLimit::new(1);
        assert_eq!(limit.due(), None);
        limit.judge(now);
        assert_eq!(limit.due(), None);
        limit.judge(now);
        assert_eq!(limit.due(), Some(now + WINDOW));
        assert_eq!(limit.omitted(now + WINDOW), Some(1));
        assert_eq!(limit.due(), None);
    }
}

//! The part of a load that is measured.

use super::Plan;
use super::clock::{Schedule, nanoseconds};
use super::counters::{Counters, Sample};

/// How long messages that were due in time are still sent, in nanoseconds: longer than a busy machine
/// withholds a CPU, and short if the server does not keep up with the rate at all.
const LATE: u64 = 1_000_000_000;

/// From the end of the warm-up until enough messages were sent or enough time
/// has passed. The sending thread calls it with the current time, and it
/// samples the counters at both ends.
///
/// With a rate, the messages measured are those that are due in that time, also if the sending thread
/// was delayed at an end: the messages that waited longest would otherwise be the missing ones.
#[derive(Debug)]
pub(super) struct Window {
    warm_up: u64,
    end: u64,
    messages: Option<u64>,
    schedule: Option<Schedule>,
    /// The counters when the warm-up ended.
    first: Option<Sample>,
    /// The counters when sending was told to end.
    last: Option<Sample>,
}

/// The counters at both ends of a window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) first: Sample,
    pub(super) last: Sample,
}

impl Window {
    pub(super) fn new(plan: &Plan) -> Self {
        let warm_up = nanoseconds(plan.warm_up);
        let end = plan.duration.map_or(u64::MAX, nanoseconds);
        Self {
            warm_up,
            end: warm_up.saturating_add(end),
            messages: plan.messages,
            schedule: plan.rate.map(Schedule::new),
            first: None,
            last: None,
        }
    }

    /// Returns whether sending should end.
    pub(super) fn over(&mut self, now: u64, counters: &Counters) -> bool {
        if now >= self.warm_up && self.first.is_none() {
            self.first = Some(counters.sample(now));
        }
        let over = self.has_ended(now, counters) || counters.stopped();
        if over && self.last.is_none() {
            self.last = Some(counters.sample(now));
        }
        over
    }

    fn has_ended(&self, now: u64, counters: &Counters) -> bool {
        let late = now.checked_sub(self.end);
        late.is_some_and(|late| {
            self.schedule.is_none() || counters.published() >= self.due() || late >= LATE
        })
    }

    /// Returns the total number of messages, once it is known.
    pub(super) fn messages(&self) -> Option<u64> {
        let first = self.first?;
        Some(first.published.saturating_add(self.messages?))
    }

    /// Returns the number of messages that are due before the end.
    pub(super) fn due(&self) -> u64 {
        self.schedule.map_or(u64::MAX, |all| all.before(self.end))
    }

    /// Returns the samples. `now` is when the server had processed everything; it
    /// is the end of a run with a fixed number of messages.
    pub(super) fn measured(self, now: u64, counters: &Counters) -> Measured {
        let last = self.last.unwrap_or_else(|| counters.sample(now));
        // If the load ended during the warm-up, the window is the whole run.
        let mut first = self.first.unwrap_or_default();
        if let Some(schedule) = self.schedule
            && last.published >= self.due()
        {
            first.at = self.warm_up;
            first.published = schedule.before(self.warm_up);
        }
        Measured { first, last }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::plan::tests::plan;
    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    /// 1,000 messages a second, from 200 ms to 1200 ms.
    fn window() -> Window {
        let mut plan = plan(1, 1);
        plan.rate = Some(1000);
        plan.messages = None;
        plan.duration = Some(Duration::from_secs(1));
        plan.warm_up = Duration::from_millis(200);
        Window::new(&plan)
    }

    /// Sends what is due at each of these times in milliseconds, at most `most` messages at once.
    /// Returns when sending ended, and what was measured.
    fn run(times: impl IntoIterator<Item = u64>, most: u64) -> (u64, Measured) {
        let (mut window, counters) = (window(), Counters::default());
        let schedule = Schedule::new(1000);
        for time in times {
            let now = time * MILLISECOND;
            if window.over(now, &counters) {
                return (time, window.measured(now, &counters));
            }
            let due = schedule.due(now).min(window.due());
            let new = due.saturating_sub(counters.published()).min(most);
            counters.add_published(new, new);
        }
        panic!("the window has no end");
    }

    #[test]
    fn delays_at_the_ends_change_no_count() {
        for (times, end) in [
            ((0..2000).collect::<Vec<_>>(), 1200),
            ((0..100).chain(500..2000).collect(), 1200),
            ((0..900).chain(1600..2000).collect(), 1601),
            ((0..100).chain(1500..2000).collect(), 1501),
        ] {
            let (ended, Measured { first, last }) = run(times, u64::MAX);
            assert_eq!(ended, end);
            assert_eq!((first.at, first.published), (200 * MILLISECOND, 200));
            assert_eq!((last.at, last.published), (end * MILLISECOND, 1200));
        }
    }

    #[test]
    fn a_server_that_is_too_slow_ends_the_load_a_second_later() {
        let (ended, Measured { first, last }) = run((0..5000).step_by(2), 1);
        assert_eq!(ended, 2200);
        assert_eq!((first.at, first.published), (200 * MILLISECOND, 100));
        assert_eq!((last.at, last.published), (2200 * MILLISECOND, 1100));
    }

    #[test]
    fn a_number_of_messages_counts_from_the_end_of_the_warm_up() {
        let (mut window, counters) = (window(), Counters::default());
        window.messages = Some(10);
        counters.add_published(205, 205);
        assert!(!window.over(300 * MILLISECOND, &counters));
        assert_eq!(window.messages(), Some(215));
        counters.add_published(10, 10);
        let Measured { first, last } = window.measured(400 * MILLISECOND, &counters);
        assert_eq!((first.published, last.published), (205, 215));
    }
}

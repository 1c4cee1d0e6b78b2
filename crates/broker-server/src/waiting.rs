//! How long the oldest byte of an output has waited.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How exactly that is known: parts of the time that a byte may wait.
const PARTS: u32 = 8;

/// Times at which bytes came to wait, by their positions in all that was ever queued.
///
/// Marks are set while something waits, and few at a time: no two are closer than an
/// eighth of the deadline.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    marks: VecDeque<(u64, Instant)>,
}

impl Waiting {
    /// Notes that all bytes up to the position `written` are written, and that those
    /// from there up to `queued` wait at `now`.
    pub(crate) fn note(&mut self, written: u64, queued: u64, now: Instant, deadline: Duration) {
        if written == queued {
            self.marks = VecDeque::new();
            return;
        }
        // A mark is of no use once all that waited at its time is written.
        while self.marks.front().is_some_and(|&(end, _)| end <= written) {
            self.marks.pop_front();
        }
        let last = self.marks.back();
        let far = |&(end, at): &(u64, Instant)| end < queued && now - at >= deadline / PARTS;
        if last.is_none_or(far) {
            self.marks.push_back((queued, now));
        }
    }

    /// How long the oldest byte has waited.
    pub(crate) fn oldest(&self, now: Instant) -> Duration {
        let oldest = self.marks.front();
        oldest.map_or(Duration::ZERO, |&(_, at)| now.saturating_duration_since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(8);

    #[test]
    fn a_trickle_does_not_make_bytes_younger() {
        let start = Instant::now();
        let mut waiting = Waiting::default();
        let mut oldest = Vec::new();
        // A million bytes wait; a hundred are taken each second, as many come.
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            waiting.note(second * 100, 1_000_000 + second * 100, now, DEADLINE);
            oldest.push(waiting.oldest(now).as_secs());
        }
        assert_eq!(oldest, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(waiting.marks.len() <= 10, "{waiting:?}");
    }

    #[test]
    fn what_was_written_is_forgotten() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut waiting = Waiting::default();
        waiting.note(0, 100, at(0), DEADLINE);
        waiting.note(50, 300, at(2), DEADLINE);
        waiting.note(99, 300, at(3), DEADLINE);
        assert_eq!(waiting.oldest(at(4)).as_secs(), 4);
        // The first hundred are gone, the others came at 2.
        waiting.note(100, 300, at(4), DEADLINE);
        assert_eq!(waiting.oldest(at(5)).as_secs(), 3);
        waiting.note(300, 300, at(5), DEADLINE);
        assert_eq!(waiting.oldest(at(6)), Duration::ZERO);
        assert!(waiting.marks.is_empty());
    }
}

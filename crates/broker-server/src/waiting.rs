//! Measures the age of the oldest pending byte.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Resolution of the age, in parts of the deadline.
const PARTS: u32 = 8;

/// Times at which bytes were queued, by their positions in the stream.
///
/// Marks are set only while output is pending, at intervals of at least an eighth of the deadline,
/// so there are few.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    marks: VecDeque<(u64, Instant)>,
}

impl Waiting {
    /// Records that all bytes up to the position `written` are written, and that those up to
    /// `queued` are pending at `now`.
    pub(crate) fn note(&mut self, written: u64, queued: u64, now: Instant, deadline: Duration) {
        if written == queued {
            self.marks = VecDeque::new();
            return;
        }
        // A mark is obsolete once all bytes of its time are written.
        while self.marks.front().is_some_and(|&(end, _)| end <= written) {
            self.marks.pop_front();
        }
        let last = self.marks.back();
        let far = |&(end, at): &(u64, Instant)| end < queued && now - at >= deadline / PARTS;
        if last.is_none_or(far) {
            self.marks.push_back((queued, now));
        }
    }

    /// Returns the age of the oldest pending byte.
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
        // A million bytes are pending; each second a hundred are written, and as many are added.
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            waiting.note(second * 100, 1_000_000 + second * 100, now, DEADLINE);
            oldest.push(waiting.oldest(now).as_secs());
        }
        assert_eq!(oldest, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(waiting.marks.len() <= 10, "{waiting:?}");
    }

    #[test]
    fn written_bytes_are_removed() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut waiting = Waiting::default();
        waiting.note(0, 100, at(0), DEADLINE);
        waiting.note(50, 300, at(2), DEADLINE);
        waiting.note(99, 300, at(3), DEADLINE);
        assert_eq!(waiting.oldest(at(4)).as_secs(), 4);
        // The first hundred are written, the others were queued at 2.
        waiting.note(100, 300, at(4), DEADLINE);
        assert_eq!(waiting.oldest(at(5)).as_secs(), 3);
        waiting.note(300, 300, at(5), DEADLINE);
        assert_eq!(waiting.oldest(at(6)), Duration::ZERO);
        assert!(waiting.marks.is_empty());
    }
}

//! Allocations of mixed sizes and lifetimes, as in a long-running server.

use fastrand::Rng;

use super::{SEED, sizes};

const OPERATIONS: usize = 20_000;
/// How many buffers can be live at once.
const SLOTS: usize = 1_024;

pub(super) fn churn() -> u64 {
    run(OPERATIONS, SLOTS).checksum
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    checksum: u64,
    /// The most buffers that were live at once.
    most_live: usize,
}

/// Each operation frees the buffer in a random slot, if there is one, and puts
/// a new buffer there. The remaining buffers are freed at the end.
fn run(operations: usize, slots: usize) -> Outcome {
    let mut rng = Rng::with_seed(SEED);
    let mut live: Vec<Option<Vec<u8>>> = vec![None; slots];
    let mut count = 0;
    let mut most_live = 0;
    let mut checksum = 0;
    for _ in 0..operations {
        let slot = &mut live[rng.usize(0..slots)];
        if let Some(old) = slot.take() {
            checksum += sizes::digest(&old);
            count -= 1;
        }
        let size = sizes::draw(&mut rng);
        *slot = Some(sizes::buffer(size, rng.u8(1..)));
        count += 1;
        most_live = most_live.max(count);
    }
    for rest in live.into_iter().flatten() {
        checksum += sizes::digest(&rest);
    }
    Outcome {
        checksum,
        most_live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each buffer is digested once, so the checksum depends on the generator
    /// alone, not on the order in which buffers are freed.
    fn expected(operations: usize, slots: usize) -> u64 {
        let mut rng = Rng::with_seed(SEED);
        (0..operations)
            .map(|_| {
                rng.usize(0..slots);
                let size = sizes::draw(&mut rng) as u64;
                size + 2 * u64::from(rng.u8(1..))
            })
            .sum()
    }

    #[test]
    fn every_buffer_is_counted_once() {
        for (operations, slots) in [(0, 1), (1, 1), (100, 7), (OPERATIONS, SLOTS)] {
            let outcome = run(operations, slots);
            assert_eq!(outcome.checksum, expected(operations, slots));
        }
        assert_eq!(churn(), expected(OPERATIONS, SLOTS));
    }

    #[test]
    fn the_live_set_fills_up_and_stays_in_bounds() {
        assert_eq!(run(100, 1).most_live, 1);
        let most = run(OPERATIONS, SLOTS).most_live;
        assert!((SLOTS * 9 / 10..=SLOTS).contains(&most), "{most}");
    }
}

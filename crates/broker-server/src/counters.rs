//! A worker's counters, and their copies for other threads.

use std::sync::atomic::{AtomicU64, Ordering};

const COUNTERS: usize = 8;

/// A worker's counters: plain integers, because only the worker writes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Messages that clients published.
    pub(crate) in_msgs: u64,
    /// Bytes of their headers and payloads.
    pub(crate) in_bytes: u64,
    /// Messages delivered.
    pub(crate) out_msgs: u64,
    /// Bytes of their headers and payloads.
    pub(crate) out_bytes: u64,
    /// Connections closed as slow consumers.
    pub(crate) slow_consumers: u64,
    /// Connections accepted since the start.
    pub(crate) total_connections: u64,
    /// Current subscriptions.
    pub(crate) subscriptions: u64,
    /// Times a publisher was stalled by a slower subscriber.
    pub(crate) stalls: u64,
}

impl Counters {
    fn to_array(self) -> [u64; COUNTERS] {
        [
            self.in_msgs,
            self.in_bytes,
            self.out_msgs,
            self.out_bytes,
            self.slow_consumers,
            self.total_connections,
            self.subscriptions,
            self.stalls,
        ]
    }

    fn from_array(array: [u64; COUNTERS]) -> Self {
        Self {
            in_msgs: array[0],
            in_bytes: array[1],
            out_msgs: array[2],
            out_bytes: array[3],
            slow_consumers: array[4],
            total_connections: array[5],
            subscriptions: array[6],
            stalls: array[7],
        }
    }
}

/// A copy of the counters for other threads, updated once per round.
#[derive(Debug, Default)]
pub(crate) struct Published([AtomicU64; COUNTERS]);

impl Published {
    pub(crate) fn renew(&self, counters: Counters) {
        for (published, counter) in self.0.iter().zip(counters.to_array()) {
            published.store(counter, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Counters {
        let read = |index: usize| self.0[index].load(Ordering::Relaxed);
        Counters::from_array(std::array::from_fn(read))
    }
}

impl std::iter::Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let mut sum = [0_u64; COUNTERS];
        for counters in all {
            for (sum, counter) in sum.iter_mut().zip(counters.to_array()) {
                *sum = sum.wrapping_add(counter);
            }
        }
        Self::from_array(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_keep_their_places() {
        let array = [1, 2, 3, 4, 5, 6, 7, 8];
        let counters = Counters::from_array(array);
        let published = Published::default();
        published.renew(counters);
        let sum: Counters = [published.read(), counters].into_iter().sum();
        assert_eq!(sum.to_array(), array.map(|counter| 2 * counter));
    }
}

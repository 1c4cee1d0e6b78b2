//! The order in which connections are served.
//!
//! Connections with input are served in the order of the work done for each, not in the order of
//! arrival: start-time fair queueing (Goyal, Vin and Cheng, "Start-time Fair Queueing", SIGCOMM
//! 1996). A connection with little work comes before those with much, however many there are.
//!
//! Work is counted, not timed: a unit is about 25 ns.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::key::ConnectionKey;

/// Most work for a connection in one turn; the last frame may exceed it.
pub(crate) const TURN: u64 = 16 * 1024;

/// Work in one round before the worker polls for events again, which may report connections with
/// less work.
pub(crate) const ROUND: u64 = TURN;

/// The connections that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: BinaryHeap<Reverse<(u64, u64, ConnectionKey)>>,
    /// The work of the connection being served: no connection starts with less, so idle time gives
    /// no credit.
    now: u64,
    /// Sequence number, which orders equals.
    order: u64,
}

impl Turns {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a connection that is not there, for which `served` is the work done so far.
    pub(crate) fn push(&mut self, key: ConnectionKey, served: u64) {
        self.order += 1;
        let start = served.max(self.now);
        self.waiting.push(Reverse((start, self.order, key)));
    }

    /// Returns the next connection, and the work to which its turn's work is added.
    pub(crate) fn pop(&mut self) -> Option<(ConnectionKey, u64)> {
        let Reverse((start, _, key)) = self.waiting.pop()?;
        self.now = start;
        Some((key, start))
    }
}

#[cfg(test)]
impl Turns {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: usize) -> ConnectionKey {
        ConnectionKey::new(0, slot, 0)
    }

    #[test]
    fn equals_are_served_in_order() {
        let mut turns = Turns::default();
        for slot in 0..10 {
            turns.push(key(slot), 0);
        }
        for slot in 0..10 {
            assert_eq!(turns.pop(), Some((key(slot), 0)));
        }
        assert_eq!(turns.pop(), None);
    }

    #[test]
    fn a_light_client_does_not_wait_for_a_thousand_heavy_ones() {
        let mut turns = Turns::default();
        for slot in 0..1000 {
            turns.push(key(slot), 0);
        }
        let mut bystander = 0;
        let mut before = Vec::new();
        for _ in 0..20 {
            turns.push(key(5000), bystander);
            let mut others = 0;
            loop {
                let (next, start) = turns.pop().expect("somebody waits");
                if next == key(5000) {
                    bystander = start + 10;
                    break;
                }
                others += 1;
                turns.push(next, start + TURN);
            }
            before.push(others);
        }
        // After each connection was served once, the bystander is always the next but one.
        assert_eq!(before[0], 1000);
        assert!(before[1..].iter().all(|&others| others <= 1), "{before:?}");
    }

    #[test]
    fn idle_time_gives_no_credit() {
        let mut turns = Turns::default();
        turns.push(key(1), 1_000_000);
        turns.pop();
        turns.push(key(2), 0);
        assert_eq!(turns.pop(), Some((key(2), 1_000_000)));
    }
}

//! Whose turn it is.
//!
//! Connections with something to be carried out are served in the order of the work
//! done for each, not in the order in which they asked: start-time fair queueing
//! (Goyal, Vin and Cheng, "Start-time Fair Queueing", SIGCOMM 1996). A connection that
//! asks for little comes before those that ask for much, however many they are.
//!
//! Work is counted, not timed: a unit is some 25 ns.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::key::ConnectionKey;

/// Work that is done for a connection in one turn, at most, but for a last frame.
pub(crate) const TURN: u64 = 16 * 1024;

/// Work that is done in one round before the system is asked for events again: what
/// nobody has heard of cannot come first.
pub(crate) const ROUND: u64 = TURN;

/// Those that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: BinaryHeap<Reverse<(u64, u64, ConnectionKey)>>,
    /// The work done for whoever is served: nobody starts with less, so that idleness
    /// is no credit.
    now: u64,
    /// The order of those that are equal.
    order: u64,
}

impl Turns {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Has a connection wait for its turn, for which this much was done before.
    pub(crate) fn push(&mut self, key: ConnectionKey, served: u64) {
        self.order += 1;
        let start = served.max(self.now);
        self.waiting.push(Reverse((start, self.order, key)));
    }

    /// Whose turn it is, and the amount of work to which that of the turn is added.
    pub(crate) fn pop(&mut self) -> Option<(ConnectionKey, u64)> {
        let Reverse((start, _, key)) = self.waiting.pop()?;
        self.now = start;
        Some((key, start))
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
    fn who_asks_for_little_does_not_wait_for_a_thousand_who_ask_for_much() {
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
        // After each of them was served once, the bystander is always the next but one.
        assert_eq!(before[0], 1000);
        assert!(before[1..].iter().all(|&others| others <= 1), "{before:?}");
    }

    #[test]
    fn idleness_is_no_credit() {
        let mut turns = Turns::default();
        turns.push(key(1), 1_000_000);
        turns.pop();
        turns.push(key(2), 0);
        assert_eq!(turns.pop(), Some((key(2), 1_000_000)));
    }
}

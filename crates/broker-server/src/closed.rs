//! The list of closed connections.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crossbeam::queue::ArrayQueue;

use super::closed_state::ClosedState;
use super::connection::Connection;
use super::reason::Reason;
use super::row::{Figures, Row};
use super::tally::Tally;

/// Most closed connections to keep, as in nats-server. Each takes about 300 bytes and the client's
/// description of itself; its subscriptions are counted but not kept.
pub(crate) const MAX_CLOSED: usize = 10_000;

/// Most closed connections that wait while a reader has the lock; further ones replace the oldest.
const MAX_WAITING: usize = 1024;

/// A closed connection.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) row: Row,
    pub(crate) stop: Instant,
    pub(crate) state: ClosedState,
}

impl Closed {
    /// Describes a connection that is closed at `now`.
    pub(crate) fn of(
        client: &Connection,
        reason: Reason,
        now: Instant,
        write_deadline: Duration,
    ) -> Self {
        let is_late = client.backlog(now).oldest > write_deadline;
        Self {
            row: Row::of(client),
            stop: now,
            state: ClosedState::of(reason, client.phase, is_late),
        }
    }

    /// Describes a connection that was refused because there were too many.
    pub(crate) fn refused(cid: u64, address: SocketAddr, websocket: bool) -> Self {
        let now = Instant::now();
        Self {
            row: Row {
                figures: Figures {
                    cid,
                    start: now,
                    last: now,
                    rtt: Duration::ZERO,
                    pending: 0,
                    subscriptions: 0,
                    tally: Tally::new(now),
                },
                address,
                about: None,
                tls: None,
                websocket,
            },
            stop: now,
            state: ClosedState::MaxConnectionsExceeded,
        }
    }
}

/// The last [`MAX_CLOSED`] closed connections.
///
/// Workers add to the list without waiting: while another thread has the lock, new entries wait in
/// a queue, which the next thread with the lock empties.
#[derive(Debug)]
pub(crate) struct ClosedConnections {
    /// `None` if monitoring is off.
    waiting: Option<ArrayQueue<Arc<Closed>>>,
    kept: Mutex<VecDeque<Arc<Closed>>>,
}

impl ClosedConnections {
    /// Returns an empty list, which stays empty unless `is_wanted`.
    pub(crate) fn new(is_wanted: bool) -> Self {
        Self {
            waiting: is_wanted.then(|| ArrayQueue::new(MAX_WAITING)),
            kept: Mutex::default(),
        }
    }

    /// Adds the result of `make`, unless the list is off.
    pub(crate) fn add(&self, make: impl FnOnce() -> Closed) {
        let Some(waiting) = &self.waiting else {
            return;
        };
        waiting.force_push(Arc::new(make()));
        match self.kept.try_lock() {
            Ok(mut kept) => self.keep(&mut kept),
            Err(TryLockError::Poisoned(poisoned)) => self.keep(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    fn keep(&self, kept: &mut VecDeque<Arc<Closed>>) {
        for _ in 0..MAX_WAITING {
            let Some(next) = self.waiting.as_ref().and_then(ArrayQueue::pop) else {
                return;
            };
            if kept.len() == MAX_CLOSED {
                kept.pop_front();
            }
            kept.push_back(next);
        }
    }

    /// Returns all entries, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Closed>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep(&mut kept);
        kept.iter().map(Arc::clone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(cid: u64) -> Closed {
        Closed::refused(cid, ([127, 0, 0, 1], 1).into(), false)
    }

    #[test]
    fn the_last_are_kept_and_no_more() {
        let all = ClosedConnections::new(true);
        let most = MAX_CLOSED as u64;
        for cid in 0..most + 5 {
            all.add(|| closed(cid));
        }
        let kept: Vec<_> = all.all().iter().map(|one| one.row.figures.cid).collect();
        assert_eq!(kept, (5..most + 5).collect::<Vec<_>>());
        let none = ClosedConnections::new(false);
        none.add(|| panic!("nobody asks for it"));
        assert!(none.all().is_empty());
    }

    #[test]
    fn writers_do_not_wait_for_readers() {
        let all = ClosedConnections::new(true);
        let read = all.kept.lock().expect("not locked");
        let more = MAX_WAITING as u64 + 3;
        for cid in 0..more {
            all.add(|| closed(cid));
        }
        assert!(read.is_empty());
        drop(read);
        let kept: Vec<_> = all.all().iter().map(|one| one.row.figures.cid).collect();
        assert_eq!(kept, (3..more).collect::<Vec<_>>());
    }

    #[test]
    fn messages_of_the_last_turn_are_counted() {
        let (mut local, _clients) = crate::rig::local_with(1);
        let key = local.clients[0].key;
        local.counters.in_msgs = 10;
        local.begin_turn(key);
        local.counters.in_msgs += 3;
        local.counters.in_bytes += 30;
        local.close(key, Reason::Gone);
        local.end_turn();
        let [closed] = &local.closed.all()[..] else {
            panic!("there is one");
        };
        let tally = closed.row.figures.tally;
        assert_eq!((tally.in_msgs, tally.in_bytes), (3, 30));
    }
}

//! What all threads of a server see.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use crossbeam::queue::ArrayQueue;
use crossbeam::utils::CachePadded;

use super::batch::Batch;
use super::config::Config;
use super::health::Health;
use super::mailbox::Mailbox;
use super::routes::Routes;
use super::worker::Worker;
use crate::protocol::ServerInfo;

/// Used batches of a worker that are kept, at most.
const MOST_USED: usize = 4;

/// Those with more bytes than this are not kept.
const MOST_USED_BYTES: usize = 512 * 1024;

/// What all threads see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// INFO without what differs between clients.
    pub(crate) info: ServerInfo,
    pub(crate) routes: Routes,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<std::sync::Arc<rustls::ServerConfig>>,
    pub(crate) workers: Vec<CachePadded<Peer>>,
    /// Workers that have sent all that their clients had published before the
    /// server was told to end.
    pub(crate) quiet: AtomicUsize,
}

/// A worker as the other threads see it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) mailbox: Mailbox,
    pub(crate) counters: Published,
    /// Batches of it that others have delivered, to be filled again: their memory
    /// is there, and in the caches.
    used_batches: ArrayQueue<Batch>,
    /// Connections given to it that are not closed yet.
    pub(crate) connections: AtomicUsize,
    /// Itself, from before the start to its end: locked by its thread, but for the
    /// time that this waits for events.
    pub(crate) worker: Mutex<Option<Worker>>,
}

impl Peer {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            counters: Published::default(),
            used_batches: ArrayQueue::new(MOST_USED),
            connections: AtomicUsize::new(0),
            worker: Mutex::new(None),
        }
    }

    /// An empty batch for it to fill.
    pub(crate) fn batch(&self) -> Batch {
        self.used_batches.pop().unwrap_or_default()
    }

    /// Gives a batch of it back that has been delivered.
    pub(crate) fn give_back(&self, mut batch: Batch) {
        if batch.bytes() <= MOST_USED_BYTES {
            batch.clear();
            // When there are enough of them, this one goes.
            let _ = self.used_batches.push(batch);
        }
    }

    /// The worker, once nobody else has it.
    pub(crate) fn worker(&self) -> MutexGuard<'_, Option<Worker>> {
        self.worker.lock().expect("no worker has panicked")
    }

    /// The worker, unless somebody has it.
    pub(crate) fn try_worker(&self) -> Option<MutexGuard<'_, Option<Worker>>> {
        self.worker.try_lock().ok()
    }
}

impl Shared {
    /// What `/healthz` tells.
    #[allow(clippy::unused_self, reason = "nothing is known of the workers yet")]
    pub(crate) fn health(&self) -> Health {
        Health::of(None, false, [])
    }

    /// Connections of all workers.
    pub(crate) fn connections(&self) -> usize {
        let of = |peer: &CachePadded<Peer>| peer.connections.load(Ordering::Relaxed);
        self.workers.iter().map(of).sum()
    }

    /// The counters of all workers.
    pub(crate) fn counters(&self) -> Counters {
        let mut sum = [0_u64; COUNTERS];
        for peer in &self.workers {
            for (sum, counter) in sum.iter_mut().zip(&peer.counters.0) {
                *sum = sum.wrapping_add(counter.load(Ordering::Relaxed));
            }
        }
        Counters::from_array(sum)
    }
}

const COUNTERS: usize = 8;

/// What a worker counts. Plain numbers: it alone writes them.
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
    /// Connections ended because they took their messages too slowly.
    pub(crate) slow_consumers: u64,
    /// Connections accepted since the start.
    pub(crate) total_connections: u64,
    /// Subscriptions there are.
    pub(crate) subscriptions: u64,
    /// Times that a publisher was made to wait for a slower subscriber.
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
        let [
            in_msgs,
            in_bytes,
            out_msgs,
            out_bytes,
            slow_consumers,
            total_connections,
            subscriptions,
            stalls,
        ] = array;
        Self {
            in_msgs,
            in_bytes,
            out_msgs,
            out_bytes,
            slow_consumers,
            total_connections,
            subscriptions,
            stalls,
        }
    }
}

/// A copy of the counters for other threads, renewed once per round.
#[derive(Debug, Default)]
pub(crate) struct Published([AtomicU64; COUNTERS]);

impl Published {
    pub(crate) fn renew(&self, counters: Counters) {
        for (published, counter) in self.0.iter().zip(counters.to_array()) {
            published.store(counter, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Producer;
    use super::super::delivery;
    use super::*;
    use crate::protocol::{Message, Span};

    #[test]
    fn few_used_batches_are_kept_and_no_large_ones() {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let peer = Peer::new(Mailbox::new(waker));
        let producer = Producer { slot: 0, client: 0 };
        let target = delivery::target(0, 0, 0, 0, 0);
        let batch_of = |bytes| {
            let (all, none) = (Span::new(0, bytes), Span::default());
            let message = Message {
                subject: none,
                reply: none,
                tail: all,
                body: all,
                headers: 0,
            };
            let mut batch = Batch::default();
            batch.add(&vec![0; bytes].into(), &message, producer, target);
            batch
        };
        peer.give_back(batch_of(MOST_USED_BYTES));
        assert!(peer.used_batches.is_empty());
        for _ in 0..=MOST_USED {
            peer.give_back(batch_of(100));
        }
        assert_eq!(peer.used_batches.len(), MOST_USED);
        assert!(peer.batch().is_empty());
        assert_eq!(peer.used_batches.len(), MOST_USED - 1);
    }

    #[test]
    fn counters_keep_their_places() {
        let array = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Counters::from_array(array).to_array(), array);
    }
}

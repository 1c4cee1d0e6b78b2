//! Reports changes in the clients' subscriptions to a hub's worker.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::SegQueue;

/// The number of clients that subscribe to a pattern, after a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) pattern: Box<[u8]>,
    /// The queue group, or `None` for plain subscriptions.
    pub(crate) queue: Option<Box<[u8]>>,
    /// The number of clients; for plain subscriptions, only whether it is 0 matters.
    pub(crate) clients: usize,
}

/// Changes in the order in which they happened.
pub(crate) struct Watch {
    changes: SegQueue<Change>,
    /// The receiver was informed, and has not read the changes yet.
    told: AtomicBool,
    tell: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// `tell` is called when there are changes, by the thread that made them.
    pub(crate) fn new(tell: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            changes: SegQueue::new(),
            told: AtomicBool::new(false),
            tell: Box::new(tell),
        }
    }

    pub(super) fn note(&self, change: Change) {
        self.changes.push(change);
        if !self.told.swap(true, Ordering::AcqRel) {
            (self.tell)();
        }
    }

    /// Returns whether there are no changes.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes the oldest change.
    pub(crate) fn take(&self) -> Option<Change> {
        // Cleared before reading: a later change informs the receiver again.
        self.told.store(false, Ordering::Release);
        self.changes.pop()
    }
}

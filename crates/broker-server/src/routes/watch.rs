//! What tells a hub of what clients want.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::SegQueue;

/// How many clients want a pattern, after that has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) pattern: Box<[u8]>,
    /// The queue group by which they want it, if it is not each by himself.
    pub(crate) queue: Option<Box<[u8]>>,
    /// How many they are; of those in no group, whether there are any.
    pub(crate) clients: usize,
}

/// Changes in the order in which they happened, for whoever takes them.
pub(crate) struct Watch {
    changes: SegQueue<Change>,
    /// Somebody was told that there are some, and has not looked yet.
    told: AtomicBool,
    tell: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// `tell` is called when there is something to take, by whoever made the change.
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

    /// Whether there is nothing to take.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes the oldest change.
    pub(crate) fn take(&self) -> Option<Change> {
        // Before it looks: what comes after that is told again.
        self.told.store(false, Ordering::Release);
        self.changes.pop()
    }
}

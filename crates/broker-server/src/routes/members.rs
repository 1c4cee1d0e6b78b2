//! A set of subscriptions that is small for one of them and quick for many.

use std::collections::BTreeSet;

use super::Target;

/// Members from which on a set is kept in order: looking through fewer is as quick.
const MANY: usize = 32;

#[derive(Debug)]
enum Set {
    Few(Vec<Target>),
    Many(BTreeSet<Target>),
}

#[derive(Debug)]
pub(super) struct Members {
    set: Set,
    /// How many of them are those of hubs.
    of_hubs: u32,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            set: Set::Few(Vec::new()),
            of_hubs: 0,
        }
    }
}

impl Members {
    fn len(&self) -> usize {
        match &self.set {
            Set::Few(few) => few.len(),
            Set::Many(many) => many.len(),
        }
    }

    /// How many of them are clients.
    pub(super) fn clients(&self) -> usize {
        self.len() - self.of_hubs as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a subscription that is not in it: O(log n).
    pub(super) fn insert(&mut self, target: Target) {
        self.of_hubs += u32::from(target.is_link());
        match &mut self.set {
            Set::Few(few) if few.len() < MANY => {
                if few.is_empty() {
                    // Most subjects have one subscription.
                    few.reserve_exact(1);
                }
                few.push(target);
            }
            Set::Few(few) => {
                let mut many: BTreeSet<_> = few.drain(..).collect();
                many.insert(target);
                self.set = Set::Many(many);
            }
            Set::Many(many) => {
                many.insert(target);
            }
        }
    }

    /// Removes a subscription: O(log n). Tells whether it was there.
    pub(super) fn remove(&mut self, target: Target) -> bool {
        let removed = match &mut self.set {
            Set::Few(few) => {
                let found = few.iter().position(|&known| known == target);
                found.map(|index| few.swap_remove(index)).is_some()
            }
            Set::Many(many) => many.remove(&target),
        };
        self.of_hubs -= u32::from(removed && target.is_link());
        removed
    }

    /// Calls `with` with each.
    pub(super) fn for_each(&self, with: impl FnMut(Target)) {
        match &self.set {
            Set::Few(few) => few.iter().copied().for_each(with),
            Set::Many(many) => many.iter().copied().for_each(with),
        }
    }
}

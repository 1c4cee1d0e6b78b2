//! A set of subscriptions that is small for one element and fast for many.

use std::collections::BTreeSet;

use super::Target;

/// Number of members from which on a set is sorted; a linear search of fewer is as fast.
const MANY: usize = 32;

#[derive(Debug)]
enum Set {
    Few(Vec<Target>),
    Many(BTreeSet<Target>),
}

#[derive(Debug)]
pub(super) struct Members {
    set: Set,
    /// Number of members that belong to hubs.
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

    /// Returns the number of members that are clients.
    pub(super) fn clients(&self) -> usize {
        self.len() - self.of_hubs as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Inserts a subscription that is not in the set: O(log n).
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

    /// Removes a subscription: O(log n). Returns whether it was present.
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

    /// Calls `with` for each member.
    pub(super) fn for_each(&self, with: impl FnMut(Target)) {
        match &self.set {
            Set::Few(few) => few.iter().copied().for_each(with),
            Set::Many(many) => many.iter().copied().for_each(with),
        }
    }
}

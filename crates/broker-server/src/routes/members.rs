//! A set of subscriptions that is small for one of them and quick for many.

use std::collections::BTreeSet;

use super::Target;

/// Members from which on a set is kept in order: looking through fewer is as quick.
const MANY: usize = 32;

#[derive(Debug)]
pub(super) enum Members {
    Few(Vec<Target>),
    Many(BTreeSet<Target>),
}

impl Default for Members {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Members {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }

    /// Adds a subscription that is not in it: O(log n).
    pub(super) fn insert(&mut self, target: Target) {
        match self {
            Self::Few(few) if few.len() < MANY => {
                if few.is_empty() {
                    // Most subjects have one subscription.
                    few.reserve_exact(1);
                }
                few.push(target);
            }
            Self::Few(few) => {
                let mut many: BTreeSet<_> = few.drain(..).collect();
                many.insert(target);
                *self = Self::Many(many);
            }
            Self::Many(many) => {
                many.insert(target);
            }
        }
    }

    /// Removes a subscription: O(log n). Tells whether it was there.
    pub(super) fn remove(&mut self, target: Target) -> bool {
        match self {
            Self::Few(few) => {
                let found = few.iter().position(|&known| known == target);
                found.map(|index| few.swap_remove(index)).is_some()
            }
            Self::Many(many) => many.remove(&target),
        }
    }

    /// Calls `with` with each.
    pub(super) fn for_each(&self, with: impl FnMut(Target)) {
        match self {
            Self::Few(few) => few.iter().copied().for_each(with),
            Self::Many(many) => many.iter().copied().for_each(with),
        }
    }
}

//! What a worker remembers of the routes, so that publishing takes no lock.

use super::routes::{Matches, Routes};

/// Places for subjects. A power of two.
const PLACES: usize = 4096;

/// Most subscriptions remembered in all; it bounds the memory.
const MOST_TARGETS: usize = 256 * 1024;

#[derive(Debug)]
struct Entry {
    subject: Vec<u8>,
    generation: u64,
    matches: Matches,
}

/// The matches of subjects seen lately.
///
/// Each subject has one place, and whoever comes later takes it, with its memory:
/// a subject that is used once costs a look at the tree but no allocation.
#[derive(Debug)]
pub(crate) struct Cache {
    places: Vec<Option<Box<Entry>>>,
    targets: usize,
    seed: u64,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self {
            places: std::iter::repeat_with(|| None).take(PLACES).collect(),
            targets: 0,
            // So that nobody can choose subjects that share a place.
            seed: fastrand::u64(..) | 1,
        }
    }

    /// What matches the subject now.
    #[inline]
    pub(crate) fn find(&mut self, subject: &[u8], routes: &Routes) -> &Matches {
        // Read before the tree is: a change in between is noticed next time.
        let generation = routes.generation(subject);
        let place = self.place(subject);
        if self.targets > MOST_TARGETS {
            self.places.fill_with(|| None);
            self.targets = 0;
        }
        let entry = self.places[place].get_or_insert_with(|| {
            Box::new(Entry {
                subject: Vec::new(),
                generation: 0,
                matches: Matches::default(),
            })
        });
        if entry.generation != generation || entry.subject != subject {
            self.targets -= entry.matches.len();
            routes.find(subject, &mut entry.matches);
            self.targets += entry.matches.len();
            entry.subject.clear();
            entry.subject.extend_from_slice(subject);
            entry.generation = generation;
        }
        &entry.matches
    }

    fn place(&self, subject: &[u8]) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
        let (words, rest) = subject.as_chunks::<8>();
        let hash = words
            .iter()
            .fold(self.seed, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let hash = mix(hash ^ subject.len() as u64, u64::from_le_bytes(last));
        // The upper bits depend on all of the lower ones.
        (hash >> 48) as usize % PLACES
    }
}

#[cfg(test)]
mod tests {
    use super::super::routes::Target;
    use super::*;

    #[test]
    fn changes_are_seen() {
        let routes = Routes::new();
        let mut cache = Cache::new();
        let target = Target {
            worker: 0,
            slot: 1,
            client: 2,
            subscription: 3,
            serial: 4,
        };
        assert_eq!(cache.find(b"a.b", &routes).len(), 0);
        routes.insert(b"a.*", None, target);
        assert_eq!(cache.find(b"a.b", &routes).plain, [target]);
        assert_eq!(cache.find(b"a.b", &routes).plain, [target]);
        routes.remove(b"a.*", None, target);
        assert_eq!(cache.find(b"a.b", &routes).len(), 0);
        assert_eq!(cache.targets, 0);
    }

    #[test]
    fn subjects_are_spread_over_the_places() {
        let cache = Cache::new();
        let places: std::collections::HashSet<_> = (0..1000)
            .map(|n| cache.place(format!("orders.{n}.new").as_bytes()))
            .collect();
        assert!(places.len() > 800, "{}", places.len());
    }
}

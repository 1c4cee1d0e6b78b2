//! A worker's cache of routes, which makes publishing lock-free.

use super::routes::{Matches, Part, Routes};

/// Slots for subjects. A power of two.
const PLACES: usize = 4096;

/// Memory limit of the cache in bytes, not counting the newest entry.
const MOST_BYTES: usize = 4 << 20;

/// Memory in bytes that an entry keeps for the next subject in its slot.
const REUSED_BYTES: usize = 1024;

/// Approximate size in bytes of an entry without its lists.
const PER_ENTRY: usize = 256;

#[derive(Debug, Default)]
struct Entry {
    subject: Vec<u8>,
    part: Part,
    generation: u64,
    matches: Matches,
}

impl Entry {
    fn bytes(&self) -> usize {
        PER_ENTRY + self.subject.capacity() + self.matches.capacity()
    }
}

/// The matches of recent subjects.
///
/// Each subject has one slot, and the next subject with the same slot replaces it, reusing a little
/// of its memory: a subject that is used once costs a look-up but no allocation.
#[derive(Debug)]
pub(crate) struct Cache {
    places: Vec<Option<Box<Entry>>>,
    /// The slot used last: consecutive messages often have the same subject.
    last: usize,
    bytes: usize,
    /// Look-ups of subjects that were not cached.
    misses: u64,
    seed: u64,
}

/// Statistics of a worker's cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CacheFigures {
    /// Cached subjects.
    pub(crate) subjects: u64,
    /// Look-ups of subjects that were not cached, since the start.
    pub(crate) misses: u64,
    /// Most subscriptions that a cached subject matches.
    pub(crate) max_fanout: u64,
    /// Sum of the subscriptions that the cached subjects match.
    pub(crate) fanout: u64,
}

/// The matches and the cost of finding them: the number of patterns that were looked up.
pub(crate) struct Found<'a> {
    pub(crate) matches: &'a Matches,
    pub(crate) looked_for: usize,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self {
            places: std::iter::repeat_with(|| None).take(PLACES).collect(),
            last: 0,
            bytes: 0,
            misses: 0,
            // Random, so clients cannot choose subjects that share a slot.
            seed: fastrand::u64(..) | 1,
        }
    }

    /// Returns the current matches of the subject.
    #[inline]
    pub(crate) fn find(&mut self, subject: &[u8], routes: &Routes) -> Found<'_> {
        let mut looked_for = 0;
        if !self.is_current(self.last, subject, routes) {
            self.last = self.place(subject);
            if !self.is_current(self.last, subject, routes) {
                looked_for = self.look_up(self.last, subject, routes);
            }
        }
        let entry = self.places[self.last].get_or_insert_default();
        Found {
            matches: &entry.matches,
            looked_for,
        }
    }

    #[inline]
    fn is_current(&self, place: usize, subject: &[u8], routes: &Routes) -> bool {
        self.places[place].as_deref().is_some_and(|entry| {
            entry.subject == subject && entry.generation == routes.generation(entry.part)
        })
    }

    fn look_up(&mut self, place: usize, subject: &[u8], routes: &Routes) -> usize {
        self.misses += 1;
        let part = Part::of(subject);
        // Read before the routes: the next call notices a change in between.
        let generation = routes.generation(part);
        if self.bytes > MOST_BYTES {
            self.places.fill_with(|| None);
            self.bytes = 0;
        }
        let entry = match &mut self.places[place] {
            Some(entry) => {
                self.bytes -= entry.bytes();
                if entry.bytes() > REUSED_BYTES {
                    **entry = Entry::default();
                }
                entry
            }
            none => none.insert(Box::default()),
        };
        let looked_for = routes.find(subject, &mut entry.matches);
        entry.subject.clear();
        entry.subject.extend_from_slice(subject);
        entry.part = part;
        entry.generation = generation;
        self.bytes += entry.bytes();
        looked_for
    }

    /// Returns the statistics.
    pub(crate) fn figures(&self) -> CacheFigures {
        let mut figures = CacheFigures {
            misses: self.misses,
            ..CacheFigures::default()
        };
        for entry in self.places.iter().flatten() {
            let fanout = entry.matches.len() as u64;
            figures.subjects += 1;
            figures.fanout += fanout;
            figures.max_fanout = figures.max_fanout.max(fanout);
        }
        figures
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
        // The upper bits depend on all lower bits.
        (hash >> 48) as usize % PLACES
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{ConnectionKey, Target};
    use super::*;

    fn target(serial: u32) -> Target {
        Target {
            connection: ConnectionKey::new(0, 1, 2),
            place: 3,
            serial,
        }
    }

    #[test]
    fn changes_are_seen() {
        let routes = Routes::new();
        let mut cache = Cache::new();
        let matches = |cache: &mut Cache| cache.find(b"a.b", &routes).matches.plain.clone();
        assert_eq!(matches(&mut cache), []);
        let inserted = routes.insert(b"a.*", None, target(4), true);
        assert_eq!(inserted, Ok(true));
        assert_eq!(matches(&mut cache), [target(4)]);
        assert_eq!(cache.find(b"a.b", &routes).looked_for, 0);
        routes.remove(b"a.*", None, target(4));
        assert_eq!(matches(&mut cache), []);
    }

    #[test]
    fn memory_is_bounded_for_any_subjects() {
        let routes = Routes::new();
        let mut cache = Cache::new();
        for serial in 0..20_000 {
            let inserted = routes.insert(b"x.>", None, target(serial), true);
            inserted.expect("one shape");
        }
        let largest = {
            cache.find(b"x.a", &routes);
            cache.bytes
        };
        for round in 0..2000 {
            cache.find(format!("x.{round}").as_bytes(), &routes);
            for small in 0..8 {
                cache.find(format!("y.{round}.{small}").as_bytes(), &routes);
            }
            let entries = cache.places.iter().flatten();
            assert_eq!(
                entries.map(|entry| entry.bytes()).sum::<usize>(),
                cache.bytes
            );
            assert!(cache.bytes <= MOST_BYTES + largest, "{}", cache.bytes);
        }
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

//! The subscriptions of one connection, by their sids.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use hashbrown::HashTable;
use slab::Slab;

use super::key::LINK;
use super::rights::Rights;

/// Approximate memory of a subscription besides its texts, here and in the routes, in bytes.
const PER_SUBSCRIPTION: usize = 320;

/// Most patterns of a connection that are the first of their shape. The total number of shapes is
/// limited, and a single client must not use it up.
const MOST_NEW_SHAPES: usize = 256;

/// Random, so clients cannot choose sids with the same hash.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A subscription of a client.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) sid: Box<[u8]>,
    pub(crate) subject: Box<[u8]>,
    pub(crate) queue: Option<Box<[u8]>>,
    /// Distinguishes it from earlier subscriptions in the same place.
    pub(crate) serial: u32,
    pub(crate) delivered: u64,
    /// The number of messages after which it ends.
    pub(crate) max: Option<u64>,
    /// Each message must be checked: the user may not get it, or may answer it.
    pub(crate) looked_at: bool,
    /// Its pattern was the first of its shape.
    pub(crate) new_shape: bool,
}

impl Subscription {
    fn held(&self) -> usize {
        let queue = self.queue.as_ref().map_or(0, |queue| queue.len());
        // The routes contain the subject as well.
        PER_SUBSCRIPTION + self.sid.len() + 2 * self.subject.len() + queue
    }
}

/// A subscription that the user may not have any more.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) place: u32,
    pub(crate) subject: Box<[u8]>,
    pub(crate) sid: Box<[u8]>,
}

/// The subscriptions of one connection.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    all: Slab<Subscription>,
    /// The places, by the hash of the sid.
    by_sid: HashTable<u32>,
    serial: u32,
    /// Bits that are set in all serial numbers.
    mark: u32,
    held: usize,
    new_shapes: usize,
}

impl Subscriptions {
    /// Returns the empty subscriptions of a hub.
    pub(crate) fn of_hub() -> Self {
        Self {
            mark: LINK,
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns an upper bound of all places, some of which may be empty.
    #[allow(clippy::cast_possible_truncation, reason = "places are u32")]
    pub(crate) fn places(&self) -> u32 {
        self.all.capacity() as u32
    }

    /// Returns the approximate memory in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Returns whether the next pattern may add a shape.
    pub(crate) fn may_add_shape(&self) -> bool {
        self.new_shapes < MOST_NEW_SHAPES
    }

    /// Returns the place and the serial number of the next subscription.
    #[allow(clippy::cast_possible_truncation, reason = "fits into u32")]
    pub(crate) fn next(&self) -> (u32, u32) {
        let serial = self.serial.wrapping_add(1) & !LINK | self.mark;
        (self.all.vacant_key() as u32, serial)
    }

    /// Applies `rights` to each subscription. Returns the denied ones.
    pub(crate) fn judge(&mut self, rights: Option<&Rights>) -> Vec<Denied> {
        let mut denied = Vec::new();
        for (place, subscription) in &mut self.all {
            let Subscription {
                subject,
                queue,
                sid,
                ..
            } = &*subscription;
            if rights.is_some_and(|rights| !rights.may_subscribe(subject, queue.as_deref())) {
                #[allow(clippy::cast_possible_truncation, reason = "places are u32")]
                denied.push(Denied {
                    place: place as u32,
                    subject: subject.clone(),
                    sid: sid.clone(),
                });
            }
            let looked_at = rights.is_some_and(|rights| rights.looks_at(subject));
            subscription.looked_at = looked_at;
        }
        denied
    }

    /// Inserts a subscription with the place and number from [`Subscriptions::next`].
    pub(crate) fn insert(&mut self, subscription: Subscription) {
        let (place, serial) = self.next();
        debug_assert_eq!(serial, subscription.serial);
        self.serial = serial;
        self.held += subscription.held();
        self.new_shapes += usize::from(subscription.new_shape);
        let hash = HASHES.hash_one(&subscription.sid);
        self.all.insert(subscription);
        let all = &self.all;
        self.by_sid.insert_unique(hash, place, |&place| {
            let known = all.get(place as usize).map(|known| &known.sid);
            known.map_or(0, |sid| HASHES.hash_one(sid))
        });
    }

    /// Returns the place of the subscription with this sid.
    pub(crate) fn place(&self, sid: &[u8]) -> Option<u32> {
        let hash = HASHES.hash_one(sid);
        let is = |&place: &u32| {
            let known = self.all.get(place as usize);
            known.is_some_and(|known| *known.sid == *sid)
        };
        self.by_sid.find(hash, is).copied()
    }

    #[inline]
    pub(crate) fn get(&self, place: u32) -> Option<&Subscription> {
        self.all.get(place as usize)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut Subscription> {
        self.all.get_mut(place as usize)
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<Subscription> {
        let removed = self.all.try_remove(place as usize)?;
        let hash = HASHES.hash_one(&removed.sid);
        if let Ok(entry) = self.by_sid.find_entry(hash, |&known| known == place) {
            entry.remove();
        }
        self.held -= removed.held();
        self.new_shapes -= usize::from(removed.new_shape);
        Some(removed)
    }

    /// Returns all subscriptions with their places, one at a time.
    pub(crate) fn into_all(self) -> slab::IntoIter<Subscription> {
        self.all.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(sid: &str, serial: u32) -> Subscription {
        Subscription {
            sid: sid.as_bytes().into(),
            subject: b"subject"[..].into(),
            queue: None,
            serial,
            delivered: 0,
            max: None,
            looked_at: false,
            new_shape: serial == 1,
        }
    }

    #[test]
    fn they_are_found_by_the_names_that_the_client_gave() {
        let mut all = Subscriptions::default();
        for number in 1..=1000 {
            assert_eq!(all.next(), (number - 1, number));
            all.insert(subscription(&number.to_string(), number));
        }
        for number in (1..=1000).step_by(2) {
            let place = all
                .place(number.to_string().as_bytes())
                .expect("it is there");
            let removed = all.remove(place).expect("it is there");
            assert_eq!(removed.serial, number);
            assert!(all.remove(place).is_none());
        }
        for number in 1..=1000_u32 {
            let place = all.place(number.to_string().as_bytes());
            let serial = place.and_then(|place| all.get(place)).map(|one| one.serial);
            assert_eq!(serial, (number % 2 == 0).then_some(number));
        }
        assert_eq!(all.len(), 500);
        assert!(all.may_add_shape());
        let places: Vec<_> = (1..=1000_u32)
            .filter_map(|n| all.place(n.to_string().as_bytes()))
            .collect();
        for place in places {
            all.remove(place);
        }
        assert_eq!((all.len(), all.held()), (0, 0));
    }
}

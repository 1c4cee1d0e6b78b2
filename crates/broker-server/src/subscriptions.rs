//! The subscriptions of one connection, by the client's names for them.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use hashbrown::HashTable;
use slab::Slab;

use super::key::LINK;
use super::rights::Rights;

/// Memory that a subscription takes beside its texts, in bytes, here and in the
/// routes, about.
const PER_SUBSCRIPTION: usize = 320;

/// Patterns of a connection with a shape that no pattern had before, at most. The
/// shapes of all are bounded, and no single client can use them up.
const MOST_NEW_SHAPES: usize = 256;

/// Random, so that nobody can choose names with the same hash.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A subscription of a client.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) sid: Box<[u8]>,
    pub(crate) subject: Box<[u8]>,
    pub(crate) queue: Option<Box<[u8]>>,
    /// Tells it from others that had its place before.
    pub(crate) serial: u32,
    pub(crate) delivered: u64,
    /// After how many messages it ends.
    pub(crate) max: Option<u64>,
    /// The user may not get every message that it wants, or may answer requests.
    pub(crate) looked_at: bool,
    /// Its pattern was the first of its shape.
    pub(crate) new_shape: bool,
}

impl Subscription {
    fn held(&self) -> usize {
        let queue = self.queue.as_ref().map_or(0, |queue| queue.len());
        // The subject is in the routes as well.
        PER_SUBSCRIPTION + self.sid.len() + 2 * self.subject.len() + queue
    }
}

/// One that the client may not have any more.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) place: u32,
    pub(crate) subject: Box<[u8]>,
    pub(crate) sid: Box<[u8]>,
}

/// Those of one connection.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    all: Slab<Subscription>,
    /// Their places, by the hash of the client's name.
    by_sid: HashTable<u32>,
    serial: u32,
    /// What is set in the serial numbers of all.
    mark: u32,
    held: usize,
    new_shapes: usize,
}

impl Subscriptions {
    /// Those of a hub.
    pub(crate) fn of_hub() -> Self {
        Self {
            mark: LINK,
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// All places are below this one. Some of them are empty.
    #[allow(clippy::cast_possible_truncation, reason = "places are u32")]
    pub(crate) fn places(&self) -> u32 {
        self.all.capacity() as u32
    }

    /// Memory that they take, in bytes, about.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether the next pattern may have a shape that none had before.
    pub(crate) fn may_add_shape(&self) -> bool {
        self.new_shapes < MOST_NEW_SHAPES
    }

    /// The place and the serial number that the next one gets.
    #[allow(clippy::cast_possible_truncation, reason = "they are counted in u32")]
    pub(crate) fn next(&self) -> (u32, u32) {
        let serial = self.serial.wrapping_add(1) & !LINK | self.mark;
        (self.all.vacant_key() as u32, serial)
    }

    /// Notes what `rights` say of each. Returns those that they do not allow.
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

    /// Adds one with the place and number that [`Subscriptions::next`] told.
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

    /// Where the one is that the client calls `sid`.
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

    /// All of them with their places, one at a time.
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

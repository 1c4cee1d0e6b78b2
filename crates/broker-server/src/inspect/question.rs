//! Questions to a worker and their answers.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::sort::Sort;
use crate::cache::CacheFigures;
use crate::connection::Connection;
use crate::key::ConnectionKey;
use crate::local::Local;
use crate::row::{Figures, Row};
use crate::subscriptions::Subscription;
use broker_protocol::covers;

/// Connection slots that one answer examines: about 0.1 to 0.2 ms.
const MAX_SEEN: usize = 4096;

/// Slots of subscriptions and connections that one answer with subscriptions examines.
const MAX_LISTED: usize = 1024;

/// A question, the channel for the answer, and its deadline.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) until: Instant,
    pub(crate) reply: Sender<(usize, Answer)>,
}

/// Selects connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// The connection with this number.
    pub(crate) cid: Option<u64>,
    /// The connections of this user.
    pub(crate) user: Option<Arc<str>>,
}

impl Filter {
    /// Returns whether the filter selects a connection with this number and user.
    pub(crate) fn takes(&self, cid: u64, user: &str) -> bool {
        self.cid.is_none_or(|wanted| wanted == cid)
            && self.user.as_ref().is_none_or(|wanted| **wanted == *user)
    }
}

/// A question.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// The clients, starting at this slot.
    Clients {
        filter: Filter,
        sort: Sort,
        /// The start of relative times.
        base: Instant,
        from: usize,
    },
    /// The rows of these connections, at most as many as the monitor shows at once.
    Rows(Vec<ConnectionKey>),
    /// The clients' subscriptions, starting at this place of this connection.
    Subscriptions {
        /// Only those of this connection.
        only: Option<ConnectionKey>,
        /// Only those that match this subject.
        test: Option<Arc<[u8]>>,
        from: (usize, u32),
        /// Number of subscriptions to skip.
        skip: usize,
        /// Most subscriptions to return.
        most: usize,
    },
    /// Statistics of the cache.
    Cache,
}

/// A client that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) rank: u64,
    pub(crate) cid: u64,
    pub(crate) key: ConnectionKey,
}

/// A subscription that was found.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) cid: u64,
    pub(crate) subject: Box<[u8]>,
    pub(crate) queue: Option<Box<[u8]>>,
    pub(crate) sid: Box<[u8]>,
    pub(crate) delivered: u64,
    pub(crate) max: Option<u64>,
}

/// A worker's answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Clients {
        found: Vec<Found>,
        /// Number of examined clients, selected or not.
        seen: usize,
        /// Where the next question continues; `None` at the end.
        next: Option<usize>,
    },
    /// The rows of the connections that still exist.
    Rows(Vec<(ConnectionKey, Row)>),
    Subscriptions {
        listed: Vec<Listed>,
        skipped: usize,
        next: Option<(usize, u32)>,
    },
    Cache(CacheFigures),
}

impl Question {
    /// Answers the question. `cache` returns the statistics of the worker's cache.
    pub(crate) fn answer(self, local: &Local, cache: impl FnOnce() -> CacheFigures) -> Answer {
        match self {
            Self::Clients {
                filter,
                sort,
                base,
                from,
            } => clients(local, &filter, sort, base, from, MAX_SEEN),
            Self::Rows(keys) => {
                let rows = keys.into_iter().filter_map(|key| {
                    let client = local.clients.get(key.slot())?;
                    (client.key == key).then(|| (key, Row::of(client)))
                });
                Answer::Rows(rows.collect())
            }
            Self::Subscriptions {
                only,
                test,
                from,
                skip,
                most,
            } => {
                let mut list = List {
                    test: test.as_deref(),
                    skip,
                    most,
                    listed: Vec::new(),
                    left: MAX_LISTED,
                };
                let next = list.all_from(local, only, from);
                Answer::Subscriptions {
                    listed: list.listed,
                    skipped: skip - list.skip,
                    next,
                }
            }
            Self::Cache => Answer::Cache(cache()),
        }
    }
}

/// Returns the client in the slot, if there is one.
fn client(local: &Local, slot: usize) -> Option<&Connection> {
    let client = local.clients.get(slot)?;
    client.link.is_none().then_some(client)
}

fn clients(
    local: &Local,
    filter: &Filter,
    sort: Sort,
    base: Instant,
    from: usize,
    most_seen: usize,
) -> Answer {
    let places = local.clients.capacity();
    let end = places.min(from.saturating_add(most_seen));
    let mut found = Vec::new();
    let mut seen = 0;
    for client in (from..end).filter_map(|slot| client(local, slot)) {
        seen += 1;
        if filter.takes(client.id, client.user()) {
            let rank = sort.rank(&Figures::of(client), None, base, local.now);
            found.push(Found {
                rank,
                cid: client.id,
                key: client.key,
            });
        }
    }
    Answer::Clients {
        found,
        seen,
        next: (end < places).then_some(end),
    }
}

/// A list of subscriptions in construction.
struct List<'a> {
    test: Option<&'a [u8]>,
    skip: usize,
    most: usize,
    listed: Vec<Listed>,
    /// Slots that may still be examined.
    left: usize,
}

impl List<'_> {
    /// Lists the selected subscriptions. Returns where to continue if one answer is not enough.
    fn all_from(
        &mut self,
        local: &Local,
        only: Option<ConnectionKey>,
        from: (usize, u32),
    ) -> Option<(usize, u32)> {
        let (mut slot, mut place) = from;
        let mut end = local.clients.capacity();
        if let Some(key) = only {
            slot = key.slot();
            end = end.min(slot + 1);
        }
        while slot < end {
            if let Some(client) = client(local, slot)
                && only.is_none_or(|key| client.key == key)
                && let Some(next) = self.of_client(client, place)
            {
                return Some((slot, next));
            }
            (slot, place) = (slot + 1, 0);
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return (slot < end).then_some((slot, 0));
            }
        }
        None
    }

    /// Same as `all_from`, for one connection.
    fn of_client(&mut self, client: &Connection, from: u32) -> Option<u32> {
        for place in from..client.subscriptions.places() {
            if self.left == 0 || self.listed.len() >= self.most {
                return Some(place);
            }
            self.left -= 1;
            if let Some(subscription) = client.subscriptions.get(place) {
                self.take(client.id, subscription);
            }
        }
        None
    }

    fn take(&mut self, cid: u64, subscription: &Subscription) {
        let matches = |subject| covers(&subscription.subject, subject);
        if !self.test.is_none_or(matches) {
            return;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.listed.push(Listed {
            cid,
            subject: subscription.subject.clone(),
            queue: subscription.queue.clone(),
            sid: subscription.sid.clone(),
            delivered: subscription.delivered,
            max: subscription.max,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rig::local_with;

    #[test]
    fn all_clients_are_found_a_few_at_a_time() {
        let (mut local, _clients) = local_with(10);
        let gone = local.clients[4].key;
        local.close(gone, crate::reason::Reason::Gone);
        let (mut from, mut all, mut asked) = (Some(0), BTreeSet::new(), 0);
        while let Some(place) = from {
            let now = local.now;
            let answer = clients(&local, &Filter::default(), Sort::Cid, now, place, 3);
            let Answer::Clients { found, seen, next } = answer else {
                panic!("it is another question");
            };
            assert!(seen <= 3 && found.len() == seen);
            all.extend(found.iter().map(|found| found.cid));
            (from, asked) = (next, asked + 1);
        }
        assert_eq!(all.len(), 9);
        assert!(asked >= 4, "{asked}");
    }

    #[test]
    fn subscriptions_are_listed_a_few_places_at_a_time() {
        let (mut local, _clients) = local_with(3);
        for slot in 0..3 {
            let client = &mut local.clients[slot];
            for number in 0..40_u32 {
                let (_, serial) = client.subscriptions.next();
                client.subscriptions.insert(Subscription {
                    looked_at: false,
                    sid: number.to_string().as_bytes().into(),
                    subject: b"a".as_slice().into(),
                    queue: None,
                    serial,
                    delivered: 0,
                    max: None,
                    new_shape: false,
                });
            }
        }
        let key = local.clients[1].key;
        // The slot belonged to another connection before.
        let before = ConnectionKey { id: 77, ..key };
        for (only, expected) in [(None, 120), (Some(key), 40), (Some(before), 0)] {
            let (mut from, mut count) = (Some((0, 0)), 0);
            while let Some(place) = from {
                let mut list = List {
                    test: None,
                    skip: 0,
                    most: 100,
                    listed: Vec::new(),
                    left: 7,
                };
                from = list.all_from(&local, only, place);
                assert!(list.listed.len() <= 7);
                count += list.listed.len();
            }
            assert_eq!(count, expected);
        }
    }
}

//! The routes: all subscriptions, shared by all workers.
//!
//! One hash table contains the patterns. A look-up tries, for each shape, the one pattern that the
//! subject would match ([`shapes`]). It costs O(tokens + shapes + matches); inserting and removing
//! a subscription costs O(log n).

mod matches;
mod members;
mod shapes;
mod watch;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crossbeam::utils::CachePadded;
use hashbrown::HashTable;

use self::members::Members;
use self::shapes::{Shape, Shapes};
use super::key::Target;
use broker_protocol::tokens;

pub(crate) use self::matches::{Link, Matches};
pub(crate) use self::watch::{Change, Watch};

/// There are too many shapes for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyShapes;

/// The subscriptions to one pattern.
#[derive(Debug)]
struct Pattern {
    hash: u64,
    text: Box<[u8]>,
    plain: Members,
    groups: HashMap<Arc<[u8]>, Members>,
}

impl Pattern {
    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.groups.is_empty()
    }

    fn add(&mut self, queue: Option<&[u8]>, target: Target) {
        let Some(name) = queue else {
            self.plain.insert(target);
            return;
        };
        if let Some(members) = self.groups.get_mut(name) {
            members.insert(target);
        } else {
            let members = self.groups.entry(name.into()).or_default();
            members.insert(target);
        }
    }

    fn remove(&mut self, queue: Option<&[u8]>, target: Target) -> bool {
        let Some(name) = queue else {
            return self.plain.remove(target);
        };
        let Some(members) = self.groups.get_mut(name) else {
            return false;
        };
        let removed = members.remove(target);
        if members.is_empty() {
            self.groups.remove(name);
            if self.groups.is_empty() {
                // An empty map would keep its memory as long as the pattern exists.
                self.groups = HashMap::new();
            }
        }
        removed
    }

    /// Returns the number of clients that subscribe in the group, or without a group.
    fn clients(&self, queue: Option<&[u8]>) -> usize {
        let members = match queue {
            None => Some(&self.plain),
            Some(name) => self.groups.get(name),
        };
        members.map_or(0, Members::clients)
    }

    /// Returns whether it is the pattern that `subject` matches with this shape.
    fn is_of(&self, subject: &[u8], shape: &Shape) -> bool {
        let mut stars = shape.stars.iter().copied().peekable();
        let mut pattern = tokens(&self.text);
        let mut subject = tokens(subject);
        for place in 0..shape.tokens {
            let (Some(own), Some(other)) = (pattern.next(), subject.next()) else {
                return false;
            };
            let is_star = stars.next_if_eq(&place).is_some();
            // The subject may itself be a pattern; its wildcards are not literal tokens.
            let is_same = match own {
                b"*" => is_star,
                b">" => false,
                literal => !is_star && literal == other,
            };
            if !is_same {
                return false;
            }
        }
        match (shape.rest, pattern.next(), subject.next()) {
            (false, None, None) => true,
            (true, Some(b">"), Some(_)) => pattern.next().is_none(),
            _ => false,
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    patterns: HashTable<Pattern>,
    shapes: Shapes,
    /// Observers of the clients' subscriptions.
    watches: Vec<Arc<Watch>>,
}

impl Table {
    /// Informs the observers how many clients now subscribe to a pattern.
    fn tell(&self, pattern: &[u8], queue: Option<&[u8]>, clients: usize) {
        for watch in &self.watches {
            watch.note(Change {
                pattern: pattern.into(),
                queue: queue.map(Into::into),
                clients,
            });
        }
    }
}

/// Number of parts of the subject space that have their own generation.
const PARTS: usize = 32;

/// All patterns, with generations that show changes.
///
/// Workers cache a subject's matches while the generation of its part of the subject space stays
/// the same. The first token determines the part, so inboxes, which some clients create for each
/// request, do not invalidate other subjects.
#[derive(Debug)]
pub(crate) struct Routes {
    table: RwLock<Table>,
    generations: [CachePadded<AtomicU64>; PARTS],
    /// Numbers of subscriptions that were ever inserted, and of those that were removed.
    inserts: AtomicU64,
    removes: AtomicU64,
    hashes: Hashes,
}

/// Hashes of tokens by position. A pattern's hash is the sum, so replacing a token by a wildcard
/// takes a subtraction and an addition.
///
/// The keys are random, so clients cannot choose subjects with the same hash.
#[derive(Debug, Default)]
struct Hashes(RandomState);

impl Hashes {
    fn token(&self, place: u16, token: &[u8]) -> u64 {
        self.0.hash_one((place, token))
    }

    fn star(&self, place: u16) -> u64 {
        // No real token is empty.
        self.token(place, b"")
    }

    fn rest(&self, place: u16) -> u64 {
        self.0.hash_one(place)
    }

    /// Returns the hash and the shape of a pattern.
    fn pattern(&self, text: &[u8]) -> (u64, Shape) {
        let mut hash = 0_u64;
        let mut stars = Vec::new();
        let mut count = 0;
        let mut rest = false;
        for (token, place) in tokens(text).zip(0..) {
            let part = match token {
                b">" => {
                    rest = true;
                    self.rest(place)
                }
                b"*" => {
                    stars.push(place);
                    self.star(place)
                }
                token => self.token(place, token),
            };
            hash = hash.wrapping_add(part);
            count = place + u16::from(!rest);
        }
        let shape = Shape {
            stars: stars.into(),
            tokens: count,
            rest,
        };
        (hash, shape)
    }
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self {
            table: RwLock::default(),
            // Not 0, which means that a subject was never looked up.
            generations: std::array::from_fn(|_| CachePadded::new(AtomicU64::new(1))),
            inserts: AtomicU64::new(0),
            removes: AtomicU64::new(0),
            hashes: Hashes::default(),
        }
    }

    /// Inserts a subscription to a valid pattern. Returns whether the pattern is the first one of
    /// its shape, which `may_add_shape` must allow.
    pub(crate) fn insert(
        &self,
        pattern: &[u8],
        queue: Option<&[u8]>,
        target: Target,
        may_add_shape: bool,
    ) -> Result<bool, TooManyShapes> {
        let (hash, shape) = self.hashes.pattern(pattern);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let Table {
            patterns,
            shapes,
            watches,
        } = &mut *table;
        let is_watched = !watches.is_empty() && !target.is_link();
        let mut clients = 1;
        let mut first = false;
        if let Some(found) = patterns.find_mut(hash, |known| *known.text == *pattern) {
            found.add(queue, target);
            if is_watched {
                clients = found.clients(queue);
            }
        } else {
            if !shape.is_literal() {
                first = shapes.add(&shape, may_add_shape).ok_or(TooManyShapes)?;
            }
            let mut new = Pattern {
                hash,
                text: pattern.into(),
                plain: Members::default(),
                groups: HashMap::new(),
            };
            new.add(queue, target);
            patterns.insert_unique(hash, new, |known| known.hash);
        }
        // The exact number of plain subscriptions does not matter.
        if is_watched && (queue.is_some() || clients == 1) {
            table.tell(pattern, queue, clients);
        }
        // Before the lock is released: a thread that sees the new generation sees the new table.
        self.changed(pattern);
        self.inserts.fetch_add(1, Ordering::Relaxed);
        Ok(first)
    }

    /// Removes a subscription that was inserted with the same arguments.
    pub(crate) fn remove(&self, pattern: &[u8], queue: Option<&[u8]>, target: Target) {
        let (hash, shape) = self.hashes.pattern(pattern);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let Table {
            patterns,
            shapes,
            watches,
        } = &mut *table;
        let is_watched = !watches.is_empty() && !target.is_link();
        let Ok(mut found) = patterns.find_entry(hash, |known| *known.text == *pattern) else {
            return;
        };
        found.get_mut().remove(queue, target);
        let clients = if is_watched {
            found.get().clients(queue)
        } else {
            0
        };
        if found.get().is_empty() {
            found.remove();
            if !shape.is_literal() {
                shapes.remove(&shape);
            }
            let room = patterns.capacity();
            if room > 1024 && patterns.len() < room / 8 {
                patterns.shrink_to(room / 4, |known| known.hash);
            }
        }
        if is_watched && (queue.is_some() || clients == 0) {
            table.tell(pattern, queue, clients);
        }
        self.changed(pattern);
        self.removes.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the numbers of subscriptions that were ever inserted and removed.
    pub(crate) fn changes(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.inserts), read(&self.removes))
    }

    /// Informs `watch` about changes in the clients' subscriptions from now on, and calls `with`
    /// for all current ones: pattern, group, and number of clients.
    ///
    /// A concurrent change may be both in `watch` and in the current subscriptions. Each contains
    /// the number at its time, so a caller that processes the changes last ends with the right
    /// number.
    pub(crate) fn watch(
        &self,
        watch: &Arc<Watch>,
        mut with: impl FnMut(&[u8], Option<&[u8]>, usize),
    ) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.watches.push(Arc::clone(watch));
        drop(table);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        for pattern in &table.patterns {
            let plain = pattern.plain.clients();
            if plain > 0 {
                with(&pattern.text, None, plain);
            }
            for (name, members) in &pattern.groups {
                let clients = members.clients();
                if clients > 0 {
                    with(&pattern.text, Some(name), clients);
                }
            }
        }
    }

    /// Stops informing `watch`.
    pub(crate) fn forget(&self, watch: &Arc<Watch>) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.watches.retain(|known| !Arc::ptr_eq(known, watch));
    }

    /// Returns whether there are no subscriptions.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn is_empty(&self) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.patterns.is_empty() && table.shapes.is_empty()
    }

    fn changed(&self, pattern: &[u8]) {
        let first = first_token(pattern);
        if first == b"*" || first == b">" {
            for generation in &self.generations {
                generation.fetch_add(1, Ordering::Release);
            }
        } else {
            self.generations[part(first)].fetch_add(1, Ordering::Release);
        }
    }

    /// Returns the part's generation, which changes with every subscription that could match a
    /// subject of this part.
    #[inline]
    pub(crate) fn generation(&self, part: Part) -> u64 {
        self.generations[part.0 as usize % PARTS].load(Ordering::Acquire)
    }

    /// Finds the matches of a message's subject. A subject with an empty token has none. Returns
    /// the number of patterns that were looked up.
    pub(crate) fn find(&self, subject: &[u8], into: &mut Matches) -> usize {
        into.clear();
        let hashes = &self.hashes;
        // The hashes of the first tokens of the subject, from none to all.
        let mut sums = Vec::with_capacity(16);
        let mut sum = 0_u64;
        sums.push(sum);
        for (token, place) in tokens(subject).zip(0..) {
            if token.is_empty() {
                return 0;
            }
            sum = sum.wrapping_add(hashes.token(place, token));
            sums.push(sum);
        }
        let count = u16::try_from(sums.len() - 1).unwrap_or(u16::MAX);
        let literal = Shape {
            stars: Box::default(),
            tokens: count,
            rest: false,
        };
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        // The change of the hash by a wildcard at each position, computed once for all shapes.
        let (mut stars, mut rests) = (Vec::new(), Vec::new());
        if !table.shapes.is_empty() {
            let token = |place: usize| sums[place + 1].wrapping_sub(sums[place]);
            let star = |place: u16| hashes.star(place).wrapping_sub(token(place.into()));
            stars = (0..count).map(star).collect();
            rests = (0..count).map(|place| hashes.rest(place)).collect();
        }
        let mut looked_for = 0;
        for shape in table.shapes.fitting(count).chain([&literal]) {
            looked_for += 1;
            let mut hash = sums[usize::from(shape.tokens)];
            for &place in &shape.stars {
                hash = hash.wrapping_add(stars[usize::from(place)]);
            }
            if shape.rest {
                hash = hash.wrapping_add(rests[usize::from(shape.tokens)]);
            }
            let found = table
                .patterns
                .find(hash, |known| known.is_of(subject, shape));
            if let Some(pattern) = found {
                into.add(&pattern.plain);
                for (name, members) in &pattern.groups {
                    into.add_group(name, members);
                }
            }
        }
        into.finish();
        looked_for
    }
}

fn first_token(subject: &[u8]) -> &[u8] {
    tokens(subject).next().unwrap_or_default()
}

/// Returns the part of the subject space for a first token: its FNV-1a hash, since any function
/// that spreads short texts will do.
fn part(token: &[u8]) -> usize {
    let hash = token.iter().fold(0x811c_9dc5_u32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 16)) as usize % PARTS
}

/// A part of the subject space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Part(u32);

impl Part {
    /// Returns the part of a subject.
    #[allow(clippy::cast_possible_truncation, reason = "fits into u32")]
    pub(crate) fn of(subject: &[u8]) -> Self {
        Self(part(first_token(subject)) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::ConnectionKey;
    use super::*;

    fn target(serial: u32) -> Target {
        Target {
            connection: ConnectionKey::new(0, 0, 0),
            place: 0,
            serial,
        }
    }

    fn found(routes: &Routes, subject: &str) -> Vec<u32> {
        let mut matches = Matches::default();
        routes.find(subject.as_bytes(), &mut matches);
        let groups = matches.groups().flat_map(|(_, members)| members);
        let mut serials: Vec<_> = matches
            .plain
            .iter()
            .chain(groups)
            .map(|t| t.serial)
            .collect();
        serials.sort_unstable();
        serials
    }

    fn insert(routes: &Routes, pattern: &[u8], queue: Option<&[u8]>, serial: u32) {
        let inserted = routes.insert(pattern, queue, target(serial), true);
        inserted.expect("there are few shapes");
    }

    #[test]
    fn wildcards_match_as_documented() {
        let routes = Routes::new();
        let patterns = ["a", "a.b", "a.*", "*.b", "a.>", ">", "*", "a.*.c", "a*"];
        for (pattern, serial) in patterns.iter().zip(0..) {
            insert(&routes, pattern.as_bytes(), None, serial);
        }
        assert_eq!(found(&routes, "a"), [0, 5, 6]);
        assert_eq!(found(&routes, "a.b"), [1, 2, 3, 4, 5]);
        assert_eq!(found(&routes, "a.x.c"), [4, 5, 7]);
        assert_eq!(found(&routes, "a*"), [5, 6, 8]);
        assert_eq!(found(&routes, "b"), [5, 6]);
        assert_eq!(found(&routes, "a..b"), [0_u32; 0]);
        assert_eq!(found(&routes, "a."), [0_u32; 0]);
        // Published to a pattern: nats-server treats its tokens as ordinary ones.
        assert_eq!(found(&routes, "a.*"), [2, 4, 5]);
    }

    #[test]
    fn a_message_to_a_pattern_reaches_each_subscription_once() {
        // The hashes are random, and the table compares a few of their bits.
        for _ in 0..2000 {
            let routes = Routes::new();
            insert(&routes, b"a.*", None, 1);
            insert(&routes, b"a.>", None, 2);
            assert_eq!(found(&routes, "a.*"), [1, 2]);
            assert_eq!(found(&routes, "a.>"), [1, 2]);
        }
    }

    #[test]
    fn random_patterns_match_as_in_a_naive_search() {
        let mut random = fastrand::Rng::with_seed(7);
        let subject = |random: &mut fastrand::Rng, letters: &[&str]| {
            let count = random.usize(1..5);
            let tokens: Vec<_> = (0..count)
                .map(|_| letters[random.usize(..letters.len())])
                .collect();
            tokens.join(".")
        };
        let naive = |pattern: &str, subject: &str| {
            let mut subject = subject.split('.');
            for token in pattern.split('.') {
                match (token, subject.next()) {
                    (">", Some(_)) => return true,
                    ("*", Some(_)) => {}
                    (token, Some(other)) if token == other => {}
                    _ => return false,
                }
            }
            subject.next().is_none()
        };
        for _ in 0..200 {
            let routes = Routes::new();
            let mut kept = Vec::new();
            for serial in 0..40 {
                let mut pattern = subject(&mut random, &["a", "b", "*", "c"]);
                if random.u8(..4) == 0 {
                    pattern.push_str(".>");
                }
                let queue = (random.u8(..3) == 0).then_some(&b"q"[..]);
                insert(&routes, pattern.as_bytes(), queue, serial);
                kept.push((pattern, queue, serial));
            }
            for _ in 0..20 {
                let (pattern, queue, serial) = kept.swap_remove(random.usize(..kept.len()));
                routes.remove(pattern.as_bytes(), queue, target(serial));
            }
            for _ in 0..20 {
                let subject = subject(&mut random, &["a", "b", "c"]);
                let mut expected: Vec<_> = kept
                    .iter()
                    .filter(|(pattern, ..)| naive(pattern, &subject))
                    .map(|&(.., serial)| serial)
                    .collect();
                expected.sort_unstable();
                assert_eq!(found(&routes, &subject), expected, "{subject} in {kept:?}");
            }
        }
    }

    #[test]
    fn groups_of_one_name_are_one_over_all_patterns() {
        let routes = Routes::new();
        insert(&routes, b"a.b", Some(b"q"), 1);
        insert(&routes, b"a.*", Some(b"r"), 3);
        insert(&routes, b"a.*", Some(b"q"), 2);
        for name in 0..50 {
            let name = format!("n{name}");
            insert(&routes, b"a.b", Some(name.as_bytes()), 4);
            insert(&routes, b"a.>", Some(name.as_bytes()), 5);
        }
        let mut matches = Matches::default();
        routes.find(b"a.b", &mut matches);
        assert!(matches.plain.is_empty());
        assert_eq!(matches.groups().count(), 52);
        for (name, members) in matches.groups() {
            let expected = if **name == *b"r" { 1 } else { 2 };
            assert_eq!(members.len(), expected, "{name:?}");
            assert_eq!(matches.group(name), members);
        }
        assert!(matches.group(b"other").is_empty());
    }

    #[test]
    fn removal_leaves_nothing_behind() {
        let routes = Routes::new();
        let patterns = ["a.b.c", "a.*", ">", "*.*.>"];
        // More than a list holds.
        for pattern in patterns {
            for queue in [None, Some(&b"q"[..])] {
                for serial in 0..100 {
                    insert(&routes, pattern.as_bytes(), queue, serial);
                }
            }
        }
        assert_eq!(found(&routes, "a.b.c").len(), 600);
        for pattern in patterns {
            for queue in [Some(&b"q"[..]), None] {
                for serial in 0..100 {
                    routes.remove(pattern.as_bytes(), queue, target(serial));
                }
            }
        }
        let table = routes.table.read().expect("not poisoned");
        assert!(table.patterns.is_empty() && table.shapes.is_empty());
        drop(table);
        routes.remove(b"never.there", None, target(1));
    }

    #[test]
    fn a_look_up_is_bounded_by_the_shapes_and_not_by_the_patterns() {
        let routes = Routes::new();
        // All of {a,*}^8 with a last token that never matches.
        for bits in 0..256_u32 {
            let mut pattern = String::new();
            for place in 0..8 {
                pattern.push_str(if bits >> place & 1 == 0 { "a." } else { "*." });
            }
            for last in ["x", "y", "z"] {
                insert(&routes, format!("{pattern}{last}").as_bytes(), None, 1);
            }
        }
        let mut matches = Matches::default();
        assert_eq!(routes.find(b"a.a.a.a.a.a.a.a.q", &mut matches), 256);
        assert_eq!(matches.len(), 0);
        routes.find(b"a.a.a.a.a.a.a.a.x", &mut matches);
        assert_eq!(matches.len(), 256);
    }

    #[test]
    fn a_shape_too_many_is_refused_and_nothing_is_left_of_it() {
        let routes = Routes::new();
        insert(&routes, b"a.*", None, 1);
        let refused = routes.insert(b"*.a", None, target(2), false);
        assert_eq!(refused, Err(TooManyShapes));
        assert_eq!(routes.insert(b"b.*", None, target(3), false), Ok(false));
        assert_eq!(found(&routes, "a.a"), [1]);
    }

    #[test]
    fn a_change_is_seen_where_it_can_matter_only() {
        let routes = Routes::new();
        let other = (0..100)
            .map(|n| format!("x{n}"))
            .find(|name| part(name.as_bytes()) != part(b"a"))
            .expect("not all are in one part");
        let generations = || {
            [
                routes.generation(Part::of(b"a.b")),
                routes.generation(Part::of(other.as_bytes())),
            ]
        };
        let before = generations();
        insert(&routes, b"a.c", None, 1);
        let after = generations();
        assert!(after[0] > before[0]);
        assert_eq!(after[1], before[1]);
        insert(&routes, b"*.c", None, 2);
        assert!(generations()[1] > after[1]);
    }
}

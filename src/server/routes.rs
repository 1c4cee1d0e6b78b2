//! Who wants which subject: a tree of tokens for all workers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crossbeam::utils::CachePadded;

use crate::protocol::tokens;

/// One subscription, as the other workers know it.
///
/// All of it is plain numbers: only the worker that owns the connection looks up
/// what they stand for, so that nothing is shared and nothing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// The worker that owns the connection.
    pub(crate) worker: u32,
    /// Where that worker keeps the connection.
    pub(crate) slot: u32,
    /// The lower half of the connection's number: slots are used again.
    pub(crate) client: u32,
    /// Where the connection keeps the subscription.
    pub(crate) subscription: u32,
    /// Its number within the connection: places are used again.
    pub(crate) serial: u32,
}

/// The subscriptions that match a subject.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// Each of these gets the message.
    pub(crate) plain: Vec<Target>,
    /// One member of each of these gets it.
    pub(crate) groups: Vec<Group>,
}

/// A queue group.
#[derive(Debug)]
pub(crate) struct Group {
    name: Box<[u8]>,
    /// Its members, at least one.
    pub(crate) members: Vec<Target>,
}

impl Matches {
    /// How many subscriptions they are.
    pub(crate) fn len(&self) -> usize {
        let members = |group: &Group| group.members.len();
        self.plain.len() + self.groups.iter().map(members).sum::<usize>()
    }

    fn clear(&mut self) {
        self.plain.clear();
        self.groups.clear();
    }

    fn add(&mut self, queue: Option<&[u8]>, target: Target) {
        let Some(name) = queue else {
            self.plain.push(target);
            return;
        };
        match self.groups.iter_mut().find(|group| *group.name == *name) {
            Some(group) => group.members.push(target),
            None => self.groups.push(Group {
                name: name.into(),
                members: vec![target],
            }),
        }
    }

    fn add_all(&mut self, other: &Self) {
        self.plain.extend_from_slice(&other.plain);
        for group in &other.groups {
            for &member in &group.members {
                self.add(Some(&group.name), member);
            }
        }
    }

    fn remove(&mut self, queue: Option<&[u8]>, target: Target) -> bool {
        let Some(name) = queue else {
            return take(&mut self.plain, target);
        };
        let Some(index) = self.groups.iter().position(|group| *group.name == *name) else {
            return false;
        };
        let group = &mut self.groups[index];
        let taken = take(&mut group.members, target);
        if group.members.is_empty() {
            self.groups.swap_remove(index);
        }
        taken
    }

    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.groups.is_empty()
    }
}

fn take(targets: &mut Vec<Target>, target: Target) -> bool {
    let found = targets.iter().position(|&known| known == target);
    found
        .map(|index| targets.swap_remove(index))
        .is_some_and(|taken| taken == target)
}

/// A token of the tree. The wildcards have places of their own.
#[derive(Debug, Default)]
struct Node {
    tokens: HashMap<Box<[u8]>, Node>,
    /// `*`.
    any: Option<Box<Node>>,
    /// Subscriptions that end here.
    here: Matches,
    /// Subscriptions that go on with `>` from here.
    rest: Matches,
}

impl Node {
    fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.any.is_none() && self.here.is_empty() && self.rest.is_empty()
    }

    /// Collects the matches of the subject whose remaining tokens are given.
    fn collect<'a>(&self, mut rest: impl Iterator<Item = &'a [u8]> + Clone, into: &mut Matches) {
        let Some(token) = rest.next() else {
            into.add_all(&self.here);
            return;
        };
        into.add_all(&self.rest);
        if let Some(node) = self.tokens.get(token) {
            node.collect(rest.clone(), into);
        }
        if let Some(node) = &self.any {
            node.collect(rest, into);
        }
    }

    /// Removes the target, and the nodes that are empty then.
    fn remove<'a>(
        &mut self,
        mut rest: impl Iterator<Item = &'a [u8]>,
        queue: Option<&[u8]>,
        target: Target,
    ) -> bool {
        match rest.next() {
            None => self.here.remove(queue, target),
            Some(b">") => self.rest.remove(queue, target),
            Some(b"*") => {
                let Some(node) = &mut self.any else {
                    return false;
                };
                let removed = node.remove(rest, queue, target);
                if node.is_empty() {
                    self.any = None;
                }
                removed
            }
            Some(token) => {
                let Some(node) = self.tokens.get_mut(token) else {
                    return false;
                };
                let removed = node.remove(rest, queue, target);
                if node.is_empty() {
                    self.tokens.remove(token);
                }
                removed
            }
        }
    }
}

/// How many parts of the subject space have a generation of their own.
const PARTS: usize = 32;

/// The tree, and what tells that it has changed.
///
/// Workers remember what matched a subject for as long as the generation of its
/// part of the subject space stays the same. The part is decided by the first
/// token, so that inboxes, which come and go with each request of some clients,
/// leave alone what is known of other subjects.
#[derive(Debug)]
pub(crate) struct Routes {
    root: RwLock<Node>,
    generations: [CachePadded<AtomicU64>; PARTS],
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self {
            root: RwLock::default(),
            // Not 0, which is what nobody has looked up yet.
            generations: std::array::from_fn(|_| CachePadded::new(AtomicU64::new(1))),
        }
    }

    /// Adds a subscription to a valid subject.
    pub(crate) fn insert(&self, subject: &[u8], queue: Option<&[u8]>, target: Target) {
        let mut root = self.root.write().unwrap_or_else(PoisonError::into_inner);
        let mut node = &mut *root;
        let mut rest = false;
        for token in tokens(subject) {
            match token {
                b">" => rest = true,
                b"*" => node = node.any.get_or_insert_default(),
                token => {
                    if !node.tokens.contains_key(token) {
                        node.tokens.insert(token.into(), Node::default());
                    }
                    let Some(next) = node.tokens.get_mut(token) else {
                        return;
                    };
                    node = next;
                }
            }
        }
        let matches = if rest { &mut node.rest } else { &mut node.here };
        matches.add(queue, target);
        // Before the lock is left: whoever sees the new generation sees the tree.
        self.changed(subject);
    }

    /// Removes a subscription that was inserted with the same arguments.
    pub(crate) fn remove(&self, subject: &[u8], queue: Option<&[u8]>, target: Target) {
        let mut root = self.root.write().unwrap_or_else(PoisonError::into_inner);
        root.remove(tokens(subject), queue, target);
        self.changed(subject);
    }

    fn changed(&self, subject: &[u8]) {
        let first = first_token(subject);
        if first == b"*" || first == b">" {
            for generation in &self.generations {
                generation.fetch_add(1, Ordering::Release);
            }
        } else {
            self.generations[part(first)].fetch_add(1, Ordering::Release);
        }
    }

    /// Changes when a subscription that could match the subject comes or goes.
    pub(crate) fn generation(&self, subject: &[u8]) -> u64 {
        self.generations[part(first_token(subject))].load(Ordering::Acquire)
    }

    /// What matches a subject to which a message is published. Nothing matches one
    /// with an empty token.
    pub(crate) fn find(&self, subject: &[u8], into: &mut Matches) {
        into.clear();
        if tokens(subject).any(<[u8]>::is_empty) {
            return;
        }
        let root = self.root.read().unwrap_or_else(PoisonError::into_inner);
        root.collect(tokens(subject), into);
    }
}

fn first_token(subject: &[u8]) -> &[u8] {
    tokens(subject).next().unwrap_or_default()
}

/// FNV-1a of the token: any function would do that spreads short texts.
fn part(token: &[u8]) -> usize {
    let hash = token.iter().fold(0x811c_9dc5_u32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 16)) as usize % PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(serial: u32) -> Target {
        Target {
            worker: 0,
            slot: 0,
            client: 0,
            subscription: 0,
            serial,
        }
    }

    fn found(routes: &Routes, subject: &str) -> Vec<u32> {
        let mut matches = Matches::default();
        routes.find(subject.as_bytes(), &mut matches);
        let groups = matches.groups.iter().flat_map(|group| &group.members);
        let mut serials: Vec<_> = matches
            .plain
            .iter()
            .chain(groups)
            .map(|t| t.serial)
            .collect();
        serials.sort_unstable();
        serials
    }

    #[test]
    fn wildcards_match_as_documented() {
        let routes = Routes::new();
        let patterns = ["a", "a.b", "a.*", "*.b", "a.>", ">", "*", "a.*.c", "a*"];
        for (pattern, serial) in patterns.iter().zip(0..) {
            routes.insert(pattern.as_bytes(), None, target(serial));
        }
        assert_eq!(found(&routes, "a"), [0, 5, 6]);
        assert_eq!(found(&routes, "a.b"), [1, 2, 3, 4, 5]);
        assert_eq!(found(&routes, "a.x.c"), [4, 5, 7]);
        assert_eq!(found(&routes, "a*"), [5, 6, 8]);
        assert_eq!(found(&routes, "b"), [5, 6]);
        assert_eq!(found(&routes, "a..b"), [0_u32; 0]);
        assert_eq!(found(&routes, "a."), [0_u32; 0]);
        // Published to a pattern: nats-server takes its tokens as they are.
        assert_eq!(found(&routes, "a.*"), [2, 4, 5]);
    }

    #[test]
    fn groups_of_one_name_are_one_over_all_patterns() {
        let routes = Routes::new();
        routes.insert(b"a.b", Some(b"q"), target(1));
        routes.insert(b"a.*", Some(b"q"), target(2));
        routes.insert(b"a.*", Some(b"r"), target(3));
        let mut matches = Matches::default();
        routes.find(b"a.b", &mut matches);
        assert!(matches.plain.is_empty());
        let mut sizes: Vec<_> = matches.groups.iter().map(|g| g.members.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 2]);
    }

    #[test]
    fn what_is_removed_leaves_nothing_behind() {
        let routes = Routes::new();
        let patterns = ["a.b.c", "a.*", ">", "*.*.>"];
        for pattern in patterns {
            for queue in [None, Some(&b"q"[..])] {
                routes.insert(pattern.as_bytes(), queue, target(1));
            }
        }
        for pattern in patterns {
            for queue in [Some(&b"q"[..]), None] {
                routes.remove(pattern.as_bytes(), queue, target(1));
            }
        }
        assert!(routes.root.read().expect("not poisoned").is_empty());
        routes.remove(b"never.there", None, target(1));
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
                routes.generation(b"a.b"),
                routes.generation(other.as_bytes()),
            ]
        };
        let before = generations();
        routes.insert(b"a.c", None, target(1));
        let after = generations();
        assert!(after[0] > before[0]);
        assert_eq!(after[1], before[1]);
        routes.insert(b"*.c", None, target(2));
        assert!(generations()[1] > after[1]);
    }
}

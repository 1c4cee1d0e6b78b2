//! The subscriptions that match a subject.

use std::collections::HashMap;
use std::sync::Arc;

use super::Target;
use super::members::Members;
use crate::key::ConnectionKey;

/// Number of groups from which on names are looked up instead of searched.
const MANY: usize = 16;

/// The subscriptions that match a subject.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// Each of these clients gets the message.
    pub(crate) plain: Vec<Target>,
    /// The hubs that subscribe to it.
    pub(crate) links: Vec<Link>,
    groups: Vec<Group>,
    /// The members of all groups, one group after the other.
    members: Vec<Target>,
    /// The group number of each member, until `finish`.
    unsorted: Vec<u32>,
    by_name: HashMap<Arc<[u8]>, u32>,
}

/// A hub's subscriptions that match.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connection: ConnectionKey,
    /// The hub has a subscription without a queue group.
    pub(crate) plain: bool,
    /// The numbers of the groups that have members at the hub.
    pub(crate) groups: Vec<u32>,
}

#[derive(Debug)]
struct Group {
    name: Arc<[u8]>,
    /// End of the group's members.
    end: usize,
}

impl Matches {
    /// Returns the number of subscriptions.
    pub(crate) fn len(&self) -> usize {
        self.plain.len() + self.members.len() + self.links.len()
    }

    /// Returns the approximate memory in bytes.
    pub(crate) fn capacity(&self) -> usize {
        const PER_MEMBER: usize = size_of::<Target>() + size_of::<u32>();
        self.plain.capacity() * size_of::<Target>()
            + self.members.capacity() * PER_MEMBER
            + self.groups.capacity() * size_of::<Group>()
            + self.by_name.capacity() * size_of::<Group>()
    }

    /// Returns the queue groups in the order of their numbers, with their members among clients:
    /// one member of each gets the message.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&Arc<[u8]>, &[Target])> {
        let mut start = 0;
        self.groups.iter().map(move |group| {
            let members = &self.members[start..group.end];
            start = group.end;
            (&group.name, members)
        })
    }

    /// Returns the group with this number.
    pub(crate) fn numbered(&self, number: u32) -> (&Arc<[u8]>, &[Target]) {
        let number = number as usize;
        let before = number.checked_sub(1);
        let start = before.map_or(0, |before| self.groups[before].end);
        let Group { name, end } = &self.groups[number];
        (name, &self.members[start..*end])
    }

    /// Returns the group with this name.
    pub(crate) fn named(&self, name: &[u8]) -> Option<(&Arc<[u8]>, &[Target])> {
        self.groups().find(|(known, _)| ***known == *name)
    }

    /// Returns the members of the group with this name.
    pub(crate) fn group(&self, name: &[u8]) -> &[Target] {
        self.named(name).map_or(&[], |(_, members)| members)
    }

    pub(super) fn clear(&mut self) {
        self.plain.clear();
        self.links.clear();
        self.groups.clear();
        self.members.clear();
        self.unsorted.clear();
        self.by_name.clear();
    }

    pub(super) fn add(&mut self, members: &Members) {
        members.for_each(|target| {
            if target.is_link() {
                self.link(target).plain = true;
            } else {
                self.plain.push(target);
            }
        });
    }

    /// Adds members of a group, which may already have others.
    pub(super) fn add_group(&mut self, name: &Arc<[u8]>, members: &Members) {
        let number = self.number(name);
        members.for_each(|target| {
            if target.is_link() {
                let groups = &mut self.link(target).groups;
                if !groups.contains(&number) {
                    groups.push(number);
                }
            } else {
                self.members.push(target);
                self.unsorted.push(number);
            }
        });
    }

    /// Returns the hub that a target belongs to. There are few of them.
    #[cold]
    fn link(&mut self, target: Target) -> &mut Link {
        let connection = target.connection;
        let mut links = self.links.iter();
        let index = links.position(|link| link.connection == connection);
        let index = index.unwrap_or_else(|| {
            self.links.push(Link {
                connection,
                plain: false,
                groups: Vec::new(),
            });
            self.links.len() - 1
        });
        &mut self.links[index]
    }

    fn number(&mut self, name: &Arc<[u8]>) -> u32 {
        let known = if self.groups.len() < MANY {
            let mut groups = self.groups.iter();
            groups.position(|group| group.name == *name)
        } else {
            if self.by_name.is_empty() {
                let names = self.groups.iter().map(|group| Arc::clone(&group.name));
                self.by_name = names.zip(0..).collect();
            }
            self.by_name.get(name).map(|&number| number as usize)
        };
        #[allow(
            clippy::cast_possible_truncation,
            reason = "memory is exhausted before four billion groups"
        )]
        let number = known.unwrap_or(self.groups.len()) as u32;
        if known.is_none() {
            self.groups.push(Group {
                name: Arc::clone(name),
                end: 0,
            });
            if self.groups.len() > MANY {
                self.by_name.insert(Arc::clone(name), number);
            }
        }
        number
    }

    /// Sorts the members by group, after all were added.
    pub(super) fn finish(&mut self) {
        if !self.unsorted.is_sorted() {
            let all = self.unsorted.drain(..).zip(self.members.drain(..));
            let mut all: Vec<_> = all.collect();
            all.sort_by_key(|&(group, _)| group);
            for (group, target) in all {
                self.unsorted.push(group);
                self.members.push(target);
            }
        }
        // All members of a group may be at hubs.
        let mut end = 0;
        for (group, number) in self.groups.iter_mut().zip(0..) {
            while self.unsorted.get(end) == Some(&number) {
                end += 1;
            }
            group.end = end;
        }
        self.unsorted.clear();
    }
}

//! What matches a subject.

use std::collections::HashMap;
use std::sync::Arc;

use super::Target;
use super::members::Members;

/// Groups from which on a name is looked up instead of searched for.
const MANY: usize = 16;

/// The subscriptions that match a subject.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// Each of these gets the message.
    pub(crate) plain: Vec<Target>,
    groups: Vec<Group>,
    /// The members of all groups, one group after the other.
    members: Vec<Target>,
    /// The number of the group of each member, until all are found.
    unsorted: Vec<u32>,
    by_name: HashMap<Arc<[u8]>, u32>,
}

#[derive(Debug)]
struct Group {
    name: Arc<[u8]>,
    /// Where its members end.
    end: usize,
}

impl Matches {
    /// How many subscriptions they are.
    pub(crate) fn len(&self) -> usize {
        self.plain.len() + self.members.len()
    }

    /// The memory that it holds, in bytes, about.
    pub(crate) fn capacity(&self) -> usize {
        const PER_MEMBER: usize = size_of::<Target>() + size_of::<u32>();
        self.plain.capacity() * size_of::<Target>()
            + self.members.capacity() * PER_MEMBER
            + self.groups.capacity() * size_of::<Group>()
            + self.by_name.capacity() * size_of::<Group>()
    }

    /// The queue groups: one member of each gets the message.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&Arc<[u8]>, &[Target])> {
        let mut start = 0;
        self.groups.iter().map(move |group| {
            let members = &self.members[start..group.end];
            start = group.end;
            (&group.name, members)
        })
    }

    /// The members of the group with this name.
    pub(crate) fn group(&self, name: &[u8]) -> &[Target] {
        let mut groups = self.groups();
        let found = groups.find(|(known, _)| ***known == *name);
        found.map_or(&[], |(_, members)| members)
    }

    pub(super) fn clear(&mut self) {
        self.plain.clear();
        self.groups.clear();
        self.members.clear();
        self.unsorted.clear();
        self.by_name.clear();
    }

    pub(super) fn add(&mut self, members: &Members) {
        members.for_each(|target| self.plain.push(target));
    }

    /// Adds members of a group; others of the same name may have been added before.
    pub(super) fn add_group(&mut self, name: &Arc<[u8]>, members: &Members) {
        let number = self.number(name);
        members.for_each(|target| {
            self.members.push(target);
            self.unsorted.push(number);
        });
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
            reason = "memory ends before four billion groups"
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

    /// Puts the members of each group side by side, when all are added.
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
        for (index, &group) in self.unsorted.iter().enumerate() {
            self.groups[group as usize].end = index + 1;
        }
        self.unsorted.clear();
    }
}

//! Deterministic workloads for comparing builds of the same program.
//!
//! Every workload does the same work in every build: random values come from a
//! generator with a fixed seed. The two "OS entropy" workloads are the
//! exception, because random values from the operating system are what they
//! measure. Each workload returns a checksum that depends on all of its work.
//! Tests check it, and it keeps the compiler from removing the work.
//!
//! The checksum of each map workload is the sum of the values found.

#![forbid(unsafe_code)]

mod churn;
mod growth;
mod handoff;
mod map;
mod sizes;

use std::thread;

/// What a workload measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// Creating string keys, inserting them into a map and looking them up.
    Map,
    /// The same, with keys from the operating system's random numbers.
    MapOsEntropy,
    /// The allocator and little else.
    Allocator,
}

/// A workload.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Workload {
    /// Its name, which is also its benchmark's name.
    pub name: &'static str,
    /// What it measures.
    pub group: Group,
    /// Does the work once and returns its checksum.
    pub run: fn() -> u64,
}

impl Workload {
    const fn new(name: &'static str, group: Group, run: fn() -> u64) -> Self {
        Self { name, group, run }
    }

    /// Returns the workload with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|workload| workload.name == name)
    }
}

/// All workloads, in the order in which they run.
pub const ALL: &[Workload] = &[
    Workload::new("single thread", Group::Map, map::single_thread),
    Workload::new("multi thread", Group::Map, map::multi_thread),
    Workload::new(
        "single thread, OS entropy",
        Group::MapOsEntropy,
        map::single_thread_os_entropy,
    ),
    Workload::new(
        "multi thread, OS entropy",
        Group::MapOsEntropy,
        map::multi_thread_os_entropy,
    ),
    Workload::new("churn", Group::Allocator, churn::churn),
    Workload::new("cross-thread free", Group::Allocator, handoff::handoff),
    Workload::new("growth", Group::Allocator, growth::growth),
];

/// The seed of all workloads. Any value would do, but it must not change.
const SEED: u64 = 0x0062_726f_6b65_7221;

/// Returns a thread's result, or continues its panic in this thread.
fn joined<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_workload_repeats_its_checksum() {
        for workload in ALL {
            assert_eq!((workload.run)(), (workload.run)(), "{}", workload.name);
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<_> = ALL.iter().map(|workload| workload.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert_eq!(Workload::by_name(name).map(|found| found.name), Some(name));
        }
        assert!(Workload::by_name("no such work").is_none());
    }

    #[test]
    fn checksums_that_follow_from_the_definition() {
        let sum: u64 = (0..10_000).sum();
        for (name, expected) in [
            ("single thread", sum),
            ("multi thread", 10 * sum),
            ("single thread, OS entropy", 0),
            ("multi thread, OS entropy", 0),
        ] {
            let workload = Workload::by_name(name).expect("it is in the table");
            assert_eq!((workload.run)(), expected, "{name}");
        }
    }
}

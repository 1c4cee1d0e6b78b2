//! A map with string keys: many small allocations of one kind.
//!
//! A key is `"{i}-{uuid}"`. One iteration creates 10,000 keys, inserts them
//! into a new map with the default hasher, and looks up 10,000 newly formatted
//! keys: on one thread, or on each of ten threads at once.
//!
//! With seeded UUIDs, the generator restarts for the lookups of each thread, so
//! each lookup draws one UUID and finds its key. UUIDs from the operating
//! system do not repeat: each lookup draws one as well, and finds nothing.

use std::collections::HashMap;
use std::hint::black_box;

use crossbeam::thread::scope;
use fastrand::Rng;
use uuid::{Builder, Uuid};

use super::{SEED, joined};

const KEYS: usize = 10_000;
const TASKS: usize = 10;

type Map = HashMap<String, usize>;

pub(super) fn single_thread() -> u64 {
    single(seeded)
}

pub(super) fn multi_thread() -> u64 {
    multi(seeded)
}

pub(super) fn single_thread_os_entropy() -> u64 {
    single(os_entropy)
}

pub(super) fn multi_thread_os_entropy() -> u64 {
    multi(os_entropy)
}

/// A source of UUIDs that always yields the same sequence.
fn seeded() -> impl FnMut() -> Uuid {
    let mut rng = Rng::with_seed(SEED);
    move || Builder::from_random_bytes(rng.u128(..).to_le_bytes()).into_uuid()
}

/// A source that asks the operating system for each UUID.
fn os_entropy() -> impl FnMut() -> Uuid {
    Uuid::new_v4
}

fn single<S: FnMut() -> Uuid>(source: fn() -> S) -> u64 {
    let map = build(source());
    look_up(&map, source())
}

fn multi<S: FnMut() -> Uuid>(source: fn() -> S) -> u64 {
    let map = build(source());
    joined(scope(|scope| {
        // Start all tasks before waiting for the first.
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| scope.spawn(|_| look_up(&map, source())))
            .collect();
        tasks.into_iter().map(|task| joined(task.join())).sum()
    }))
}

fn key(i: usize, uuid: Uuid) -> String {
    black_box(format!("{i}-{uuid}"))
}

/// The map grows while it is filled, as it does when its size is not known in advance.
fn build(mut next: impl FnMut() -> Uuid) -> Map {
    let mut map = Map::new();
    for i in 0..KEYS {
        map.insert(key(i, next()), i);
    }
    map
}

fn look_up(map: &Map, mut next: impl FnMut() -> Uuid) -> u64 {
    (0..KEYS)
        .filter_map(|i| map.get(&key(i, next())))
        .map(|&value| value as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_have_the_stated_shape() {
        let map = build(seeded());
        assert_eq!(map.len(), KEYS);
        for (text, &value) in &map {
            let (number, uuid) = text.split_once('-').expect("a dash after the number");
            assert_eq!(number, value.to_string());
            let uuid = Uuid::parse_str(uuid).expect("a UUID after the dash");
            assert_eq!(uuid.get_version_num(), 4);
        }
    }

    #[test]
    fn seeded_uuids_differ_and_repeat() {
        let drawn =
            |source: &mut dyn FnMut() -> Uuid| -> Vec<_> { (0..KEYS).map(|_| source()).collect() };
        let first = drawn(&mut seeded());
        assert_eq!(first, drawn(&mut seeded()));
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), KEYS);
    }

    #[test]
    fn one_uuid_is_drawn_for_each_lookup() {
        let map = build(seeded());
        let mut drawn = 0;
        let mut source = seeded();
        let sum = look_up(&map, || {
            drawn += 1;
            source()
        });
        assert_eq!(drawn, KEYS);
        assert_eq!(sum, (0..KEYS as u64).sum::<u64>());
    }

    #[test]
    fn keys_from_the_operating_system_are_never_found() {
        let map = build(os_entropy());
        assert_eq!(map.len(), KEYS);
        assert_eq!(look_up(&map, os_entropy()), 0);
        assert_eq!(look_up(&map, seeded()), 0);
    }
}

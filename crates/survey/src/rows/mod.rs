//! The rows: each has a name and a function that prepares its calls.
//!
//! C library functions are called through pointers that went through `black_box`: a compiler that
//! does not know the function can neither remove a call nor evaluate it early.

mod files;
mod heap;
mod math;
mod memory;
mod strings;
mod system;
mod text;
mod threads;
mod time;

use std::hint::black_box;
use std::io;
use std::time::Duration;

use crate::measure::{self, Clock, Effort};

/// The argument that makes this program return at once, for rows that start a process.
pub const RETURN_AT_ONCE: &str = "return-at-once";
/// Two system calls and nothing else: differences between builds here are noise.
pub const CONTROL: &str = "control: mmap and munmap";

/// Makes this many calls.
type Calls = Box<dyn FnMut(u64)>;
/// Makes this many calls and returns how long they took.
type Timed = Box<dyn FnMut(u64) -> Duration>;

/// Something to time.
pub struct Row {
    /// Its name, with a topic before the colon.
    pub name: String,
    prepare: Box<dyn Fn() -> io::Result<Timed>>,
}

impl Row {
    /// Timed by the thread's CPU time.
    fn cpu(name: impl Into<String>, prepare: impl Fn() -> io::Result<Calls> + 'static) -> Self {
        Self::by(Clock::Thread, name, prepare)
    }

    /// Timed by elapsed time.
    fn wall(name: impl Into<String>, prepare: impl Fn() -> io::Result<Calls> + 'static) -> Self {
        Self::by(Clock::Wall, name, prepare)
    }

    fn by(
        clock: Clock,
        name: impl Into<String>,
        prepare: impl Fn() -> io::Result<Calls> + 'static,
    ) -> Self {
        Self::timed(name, move || {
            let mut calls = prepare()?;
            Ok(Box::new(move |times| clock.time(|| calls(times))))
        })
    }

    /// Timed by the calls themselves, if only a part of them is to be timed.
    fn timed(name: impl Into<String>, prepare: impl Fn() -> io::Result<Timed> + 'static) -> Self {
        Self {
            name: name.into(),
            prepare: Box::new(prepare),
        }
    }

    /// Returns nanoseconds per call.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a resource that the calls need.
    pub fn measure(&self, effort: Effort) -> io::Result<f64> {
        Ok(measure::per_call(effort, (self.prepare)()?))
    }
}

/// Returns all rows.
#[must_use]
pub fn all() -> Vec<Row> {
    [
        memory::rows(),
        strings::rows(),
        heap::rows(),
        threads::rows(),
        text::rows(),
        math::rows(),
        time::rows(),
        files::rows(),
        system::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Repeats the same call.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the preparation of a row may fail"
)]
fn repeat<T>(mut call: impl FnMut() -> T + 'static) -> io::Result<Calls> {
    Ok(Box::new(move |times| {
        for _ in 0..times {
            black_box(call());
        }
    }))
}

/// Pseudorandom numbers, the same in each build.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}

/// Goes through a table repeatedly.
struct Cycle<T> {
    values: Box<[T]>,
    at: usize,
}

impl<T: Copy> Cycle<T> {
    fn new(values: impl IntoIterator<Item = T>) -> Self {
        Self {
            values: values.into_iter().collect(),
            at: 0,
        }
    }

    #[inline]
    fn next(&mut self) -> T {
        let value = self.values[self.at];
        self.at += 1;
        if self.at == self.values.len() {
            self.at = 0;
        }
        value
    }
}

/// The number of bytes per call.
#[derive(Clone, Copy)]
enum Size {
    Fixed(usize),
    /// From 1 to 128, in random order.
    Mixed,
}

impl Size {
    fn largest(self) -> usize {
        match self {
            Self::Fixed(size) => size,
            Self::Mixed => 128,
        }
    }

    /// Returns the sizes of the calls.
    fn each(self) -> Cycle<usize> {
        match self {
            Self::Fixed(size) => Cycle::new([size]),
            // More sizes than a branch predictor can learn.
            Self::Mixed => {
                let mut numbers = Numbers(1);
                Cycle::new((0..16_384).map(|_| 1 + numbers.below(128)))
            }
        }
    }
}

/// The sizes measured, up to a row's largest one.
const SIZES: [Size; 10] = [
    Size::Fixed(8),
    Size::Fixed(16),
    Size::Fixed(32),
    Size::Fixed(128),
    Size::Mixed,
    Size::Fixed(256),
    Size::Fixed(1 << 10),
    Size::Fixed(4 << 10),
    Size::Fixed(64 << 10),
    Size::Fixed(1 << 20),
];

/// Returns one row per size.
fn ladder(
    name: &str,
    largest: usize,
    prepare: impl Fn(Size) -> io::Result<Calls> + Copy + 'static,
) -> Vec<Row> {
    let sizes = SIZES.into_iter().filter(|size| size.largest() <= largest);
    sizes
        .map(|size| Row::cpu(format!("{name}, {}", label(size)), move || prepare(size)))
        .collect()
}

fn label(size: Size) -> String {
    match size {
        Size::Mixed => "1-128 B mixed".to_owned(),
        Size::Fixed(size) if size >= 1 << 20 => format!("{} MiB", size >> 20),
        Size::Fixed(size) if size >= 1 << 10 => format!("{} KiB", size >> 10),
        Size::Fixed(size) => format!("{size} B"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_have_a_theme() {
        let names: Vec<_> = all().into_iter().map(|row| row.name).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        for name in &names {
            assert!(
                name.split_once(": ")
                    .is_some_and(|(theme, what)| { !theme.is_empty() && !what.is_empty() }),
                "{name}"
            );
        }
        assert!(names.iter().any(|name| name == CONTROL));
    }

    #[test]
    fn sizes_are_told_in_the_largest_unit() {
        for (size, expected) in [
            (Size::Fixed(8), "8 B"),
            (Size::Fixed(256), "256 B"),
            (Size::Fixed(1 << 10), "1 KiB"),
            (Size::Fixed(64 << 10), "64 KiB"),
            (Size::Fixed(1 << 20), "1 MiB"),
            (Size::Mixed, "1-128 B mixed"),
        ] {
            assert_eq!(label(size), expected);
        }
    }

    #[test]
    fn mixed_sizes_stay_within_their_bounds() {
        let sizes = Size::Mixed.each().values;
        assert_eq!(sizes.iter().min(), Some(&1));
        assert_eq!(sizes.iter().max(), Some(&Size::Mixed.largest()));
    }

    #[test]
    fn a_cycle_begins_again() {
        let mut cycle = Cycle::new([1, 2, 3]);
        let seen: Vec<_> = (0..7).map(|_| cycle.next()).collect();
        assert_eq!(seen, [1, 2, 3, 1, 2, 3, 1]);
    }
}

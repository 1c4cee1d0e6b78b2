//! Visitors: each of many threads repeatedly connects, does something random and leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fastrand::Rng;

use crate::members;
use crate::run::Run;
use crate::strangers;
use crate::wanderer;

/// The longest time between two visits of a thread.
const PAUSE_MS: u64 = 40;

/// A kind of visit.
struct Kind {
    name: &'static str,
    /// Relative frequency of this kind.
    weight: u64,
    visit: fn(&Run, &mut Rng),
    visits: AtomicU64,
}

impl Kind {
    const fn new(name: &'static str, weight: u64, visit: fn(&Run, &mut Rng)) -> Self {
        Self {
            name,
            weight,
            visit,
            visits: AtomicU64::new(0),
        }
    }

    fn visit(&self, run: &Run, rng: &mut Rng) {
        self.visits.fetch_add(1, Ordering::Relaxed);
        (self.visit)(run, rng);
    }
}

/// The index of the kind that does not read.
const STUCK: usize = 0;

static KINDS: [Kind; 11] = [
    Kind::new("stuck", 4, strangers::read_nothing),
    Kind::new("wanderers", 30, wanderer::wander),
    Kind::new("drainers", 12, members::drain),
    Kind::new("mortals", 12, members::die),
    Kind::new("helpers", 12, members::help),
    Kind::new("listeners", 8, members::listen),
    Kind::new("leavers", 6, members::say_farewell),
    Kind::new("slow readers", 6, strangers::read_slowly),
    Kind::new("silent", 6, strangers::say_nothing),
    Kind::new("babblers", 6, strangers::babble),
    Kind::new("cut off", 6, strangers::cut_off),
];

/// Starts `count` threads of visits.
pub(crate) fn start(run: &Arc<Run>, count: usize) -> Vec<JoinHandle<()>> {
    let threads = (0..count).map(|index| {
        let mut rng = Rng::with_seed(run.seed.wrapping_add(index as u64));
        run.spawn(format!("visitor {index}"), move |run| {
            if index == 0 {
                // Even a short run has a slow client.
                KINDS[STUCK].visit(run, &mut rng);
            }
            while run.is_visiting() {
                choose(&mut rng).visit(run, &mut rng);
                thread::sleep(Duration::from_millis(rng.u64(..PAUSE_MS)));
            }
        })
    });
    threads.collect()
}

fn choose(rng: &mut Rng) -> &'static Kind {
    let sum: u64 = KINDS.iter().map(|kind| kind.weight).sum();
    let mut left = rng.u64(..sum);
    for kind in &KINDS {
        if left < kind.weight {
            return kind;
        }
        left -= kind.weight;
    }
    unreachable!("less than the sum of all weights")
}

/// Returns the number of visits, and the number of each kind.
pub(crate) fn visits() -> (u64, String) {
    let visits = KINDS
        .each_ref()
        .map(|kind| kind.visits.load(Ordering::Relaxed));
    let kinds = KINDS.iter().zip(&visits);
    let told: Vec<_> = kinds
        .map(|(kind, visits)| format!("{visits} {}", kind.name))
        .collect();
    (visits.iter().sum(), told.join(", "))
}

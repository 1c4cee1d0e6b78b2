//! The shared state of a run: its phase, its faults, and its counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::client::Client;
use crate::ledger::Ledger;
use crate::once::Once;
use crate::visitors::visits;

/// Most faults to report; later ones are usually consequences.
const MOST_FAULTS: usize = 10;

/// Counts for the summary.
#[derive(Default)]
pub(crate) struct Counts {
    /// Messages that visitors published.
    pub(crate) noise: AtomicU64,
    /// Messages that visitors read, including those of groups.
    pub(crate) overheard: AtomicU64,
    /// Visitors that did not read, and that the server closed.
    pub(crate) closed_as_slow: AtomicU64,
    /// Requests to steady responders, all of them answered.
    pub(crate) answered: AtomicU64,
    /// Requests to visitors: those that were answered, and those that were refused by a 503.
    pub(crate) fulfilled: AtomicU64,
    pub(crate) refused: AtomicU64,
}

pub(crate) struct Run {
    pub(crate) port: u16,
    pub(crate) seed: u64,
    pub(crate) ledger: Ledger,
    pub(crate) counts: Counts,
    /// Visitors continue to arrive.
    visiting: AtomicBool,
    /// Publishers and requesters continue.
    publishing: AtomicBool,
    /// The server is about to end, and connections may end with it.
    ending: AtomicBool,
    failed: AtomicBool,
    faults: Mutex<Vec<String>>,
    ids: AtomicUsize,
}

impl Run {
    pub(crate) fn new(port: u16, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            port,
            seed,
            ledger: Ledger::new(),
            counts: Counts::default(),
            visiting: AtomicBool::new(true),
            publishing: AtomicBool::new(true),
            ending: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            faults: Mutex::default(),
            ids: AtomicUsize::new(0),
        })
    }

    /// Runs `work` in a new thread. A panic is recorded as a fault.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        name: impl Into<String>,
        work: impl FnOnce(&Self) + Send + 'static,
    ) -> JoinHandle<()> {
        let (run, name) = (Arc::clone(self), name.into());
        let thread = thread::Builder::new().name(name.clone());
        let work = move || {
            if catch_unwind(AssertUnwindSafe(|| work(&run))).is_err() {
                run.fault(format!("{name} panicked"));
            }
        };
        thread
            .spawn(work)
            .expect("the system has room for a thread")
    }

    /// Returns a unique number.
    pub(crate) fn id(&self) -> usize {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Opens a connection and sends a CONNECT that is neither verbose nor pedantic.
    pub(crate) fn connect(&self) -> Client {
        let mut client = Client::to(self.port);
        client.read_info();
        client.connect();
        client
    }

    pub(crate) fn fault(&self, fault: impl Into<String>) {
        let mut faults = self.faults.lock().expect("no panic with the lock");
        if faults.len() < MOST_FAULTS && !self.failed_and_ending() {
            faults.push(fault.into());
        }
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Returns the summary so far.
    pub(crate) fn summary(&self) -> String {
        let (published, delivered, groups) = self.ledger.sums();
        let [keepers, drainers, mortals] = groups;
        let counts = &self.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let [noise, overheard, slow] =
            [&counts.noise, &counts.overheard, &counts.closed_as_slow].map(read);
        let [answered, fulfilled, refused] =
            [&counts.answered, &counts.fulfilled, &counts.refused].map(read);
        let [hopes, farewells] = [&self.ledger.hopes, &self.ledger.farewells].map(Once::issued);
        let (visits, _) = visits();
        format!(
            "{visits} visits; {published} messages, {delivered} came to readers, \
             {keepers}, {drainers} and {mortals} to groups; {answered} requests; \
             {hopes} to visitors: {fulfilled} answered, {refused} refused; \
             {farewells} farewells; visitors published {noise} and processed {overheard}, {slow} were stuck"
        )
    }

    /// Returns whether the server was killed because of a fault, after which errors do not count.
    fn failed_and_ending(&self) -> bool {
        self.has_failed() && self.is_ending()
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.lock().expect("no panic with the lock").clone()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_visiting(&self) -> bool {
        self.visiting.load(Ordering::Relaxed) && !self.has_failed()
    }

    pub(crate) fn is_publishing(&self) -> bool {
        self.publishing.load(Ordering::Relaxed) && !self.has_failed()
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub(crate) fn end_visits(&self) {
        self.visiting.store(false, Ordering::Relaxed);
    }

    pub(crate) fn end_publishing(&self) {
        self.publishing.store(false, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

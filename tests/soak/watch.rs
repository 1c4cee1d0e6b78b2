//! The server's resource usage: memory, files, CPU.

use std::thread;
use std::time::{Duration, Instant};

use crate::run::Run;
use crate::server::{PATIENCE, Server};

const MIB: usize = 1 << 20;

/// Time between two measurements of memory.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long the server may take to release clients that have left: it notices at once, but the
/// machine may be busy.
const FORGETTING: Duration = PATIENCE;

/// How long until the CPU is idle after the last activity.
const IDLE: Duration = Duration::from_secs(1);

/// Resident memory during the visits.
#[derive(Default)]
pub(crate) struct Memory {
    samples: Vec<usize>,
}

impl Memory {
    /// Measures while the visits last, and prints a line each minute.
    pub(crate) fn watch(&mut self, run: &Run, server: &Server, lasts: Duration) {
        let start = Instant::now();
        let mut minutes = 0;
        while start.elapsed() < lasts && !run.has_failed() {
            self.samples.push(server.resident());
            let elapsed = start.elapsed().as_secs() / 60;
            if elapsed > minutes {
                minutes = elapsed;
                let resident = server.resident() / MIB;
                eprintln!("minute {minutes}: {}; {resident} MiB", run.summary());
            }
            thread::sleep(INTERVAL);
        }
    }

    /// Returns the medians of the second and of the last quarter. The first quarter is the warm-up.
    fn medians(&self) -> [usize; 2] {
        let count = self.samples.len();
        let median = |from: usize, to: usize| {
            let mut part = self.samples[from..to].to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied().unwrap_or_default()
        };
        [median(count / 4, count / 2), median(count / 4 * 3, count)]
    }

    /// Returns whether memory grew: by more than a quarter, and more than clients that do not read
    /// may hold. Also returns a text.
    pub(crate) fn judge(&self) -> (bool, String) {
        let [early, late] = self.medians();
        let told = format!("median {} KiB, later {} KiB", early / 1024, late / 1024);
        (late > early + early / 4 + 4 * MIB, told)
    }
}

/// What the server holds for its clients.
#[derive(Debug)]
pub(crate) struct Held {
    connections: u64,
    subscriptions: u64,
    files: usize,
}

impl Held {
    fn now(server: &Server) -> Self {
        let varz = server.varz();
        let number = |name: &str| varz[name].as_u64().expect("a number");
        Self {
            connections: number("connections"),
            subscriptions: number("subscriptions"),
            files: server.open_files(),
        }
    }

    /// Returns the fewest files of several measurements: the monitor closes its connection a little
    /// later.
    pub(crate) fn settled(server: &Server) -> Self {
        let mut held = Self::now(server);
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(20));
            held.files = held.files.min(server.open_files());
        }
        held
    }

    /// Waits until the server is back at these values.
    pub(crate) fn wait_for(&self, run: &Run, server: &Server) {
        let deadline = Instant::now() + FORGETTING;
        while !run.has_failed() {
            let held = Self::settled(server);
            let is_same = held.connections == self.connections
                && held.subscriptions == self.subscriptions
                // On a busy machine, the monitor may have kept a connection for longer before.
                && held.files <= self.files;
            if is_same {
                return;
            }
            if Instant::now() > deadline {
                run.fault(format!(
                    "the server has {held:?} after the visits, {self:?} before"
                ));
                return;
            }
        }
    }
}

/// Asserts that the server soon uses almost no CPU time. A server in a busy loop uses more of it
/// even on a busy machine.
pub(crate) fn expect_idle(run: &Run, server: &Server) {
    const WINDOW: Duration = Duration::from_millis(500);
    let start = Instant::now();
    loop {
        let before = server.cpu_time();
        let begin = start.elapsed();
        thread::sleep(WINDOW);
        let busy = server.cpu_time().saturating_sub(before);
        if busy <= WINDOW / 25 {
            return;
        }
        if begin > IDLE {
            return run.fault(format!("the idle server uses {busy:?} of {WINDOW:?}"));
        }
    }
}

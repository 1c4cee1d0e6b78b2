//! What the server takes: memory, files, CPU.

use std::thread;
use std::time::{Duration, Instant};

use crate::run::Run;
use crate::server::{PATIENCE, Server};

const MIB: usize = 1 << 20;

/// Time between two looks at the memory.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long the server may take to forget those who have left: it learns of them at
/// once, but the machine may be busy.
const FORGETTING: Duration = PATIENCE;

/// How long until the CPU is idle, once nobody does anything.
const IDLE: Duration = Duration::from_secs(1);

/// Memory in RAM over the time of the visits.
#[derive(Default)]
pub(crate) struct Memory {
    samples: Vec<usize>,
}

impl Memory {
    /// Looks for as long as the visits last, and says each minute that they do.
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

    /// The medians of the second and of the last quarter. The first is for warming up.
    fn medians(&self) -> [usize; 2] {
        let count = self.samples.len();
        let median = |from: usize, to: usize| {
            let mut part = self.samples[from..to].to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied().unwrap_or_default()
        };
        [median(count / 4, count / 2), median(count / 4 * 3, count)]
    }

    /// Whether memory grew: by more than a quarter and what visitors that do not read
    /// may hold at one time and not at another. Also as a text.
    pub(crate) fn judge(&self) -> (bool, String) {
        let [early, late] = self.medians();
        let told = format!("median {} KiB, later {} KiB", early / 1024, late / 1024);
        (late > early + early / 4 + 4 * MIB, told)
    }
}

/// What the server has for its clients.
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

    /// The fewest files of some looks: the monitor closes its connection a little later.
    pub(crate) fn settled(server: &Server) -> Self {
        let mut held = Self::now(server);
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(20));
            held.files = held.files.min(server.open_files());
        }
        held
    }

    /// Waits until the server has this again.
    pub(crate) fn wait_for(&self, run: &Run, server: &Server) {
        let deadline = Instant::now() + FORGETTING;
        while !run.has_failed() {
            let held = Self::settled(server);
            let is_same = held.connections == self.connections
                && held.subscriptions == self.subscriptions
                // On a busy machine, the monitor may have kept one for longer before.
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

/// The server takes next to nothing of a CPU soon. A server that is busy with nothing takes
/// more of it even beside many other processes.
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
            return run.fault(format!(
                "the server takes {busy:?} of {WINDOW:?} with nothing to do"
            ));
        }
    }
}

//! The setting of an attack: a server, bystanders on every worker, and the measurements.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::attacker::Attacker;
use crate::bystander::{End, Measured, Pair, Requests, Stream};
#[cfg(feature = "tls")]
use crate::certificates::Files;
use crate::server::{Server, has_flag, is_slow, stated_memory};

const MIB: u64 = 1 << 20;

/// Worker threads of the server.
const WORKERS: usize = 2;

/// Duration of attacks that have no end of their own.
const LASTS: Duration = Duration::from_secs(1);

/// Time limit for attacks that send a fixed amount.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long the bystanders continue after the attackers have left: removing a client can take
/// longer than serving it.
const AFTERMATH: Duration = Duration::from_millis(300);

/// Attacks run one at a time, because they measure latency.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Limit for the 99th percentile of the bystanders' request latency.
///
/// Broker's own limit is 50 ms on an otherwise idle machine: `ADVERSARY_P99_MS=50`. Tests run in
/// parallel with builds and other tests, when the system may delay a thread for longer. Without the
/// variable, only a server that hangs fails.
fn latency_bound() -> Duration {
    let otherwise = if is_slow() { 5000 } else { 1000 };
    let set = std::env::var("ADVERSARY_P99_MS");
    let milliseconds = set.map_or(otherwise, |text| text.parse().expect("milliseconds"));
    Duration::from_millis(milliseconds)
}

/// Time limit until the CPU is idle: one second if latency is measured too.
fn idle_bound() -> Duration {
    let is_measured = std::env::var_os("ADVERSARY_P99_MS").is_some();
    Duration::from_secs(if is_measured { 1 } else { 5 })
}

/// Returns `full` for an optimised server, `reduced` for any other.
pub(crate) fn scaled(full: usize, reduced: usize) -> usize {
    if is_slow() { reduced } else { full }
}

/// An attack.
pub(crate) struct Attack {
    name: &'static str,
    max_memory: u64,
    flags: Vec<String>,
    #[cfg(feature = "tls")]
    by_tls: bool,
}

/// What an attack has led to.
struct Outcome {
    faults: Vec<String>,
    start: Instant,
    lasted: Duration,
    measured: Vec<Measured>,
    /// By how much the system delayed a thread that only sleeps.
    delay: Duration,
    /// How long a thread of the server waited for a CPU.
    waited: Option<Duration>,
    /// Memory in bytes.
    peak: u64,
    /// Time to idle.
    idle: Duration,
}

/// The server under attack.
pub(crate) struct Target<'a> {
    pub(crate) server: &'a Server,
    start: Instant,
    faults: Mutex<Vec<String>>,
    #[cfg(feature = "tls")]
    pub(crate) files: Option<&'a Files>,
}

impl Target<'_> {
    /// Returns whether an attack without an end of its own should continue.
    pub(crate) fn goes_on(&self) -> bool {
        self.start.elapsed() < LASTS
    }

    /// Records the result of a check specific to this attack; the general checks run as well.
    pub(crate) fn expect(&self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            let mut faults = self.faults.lock().expect("no panic with the lock");
            faults.push(otherwise.into());
        }
    }

    fn end(&self) -> Instant {
        self.start + PATIENCE
    }

    /// Opens a connection and sends nothing.
    pub(crate) fn open(&self) -> Option<Attacker> {
        Attacker::open(self.server.port, self.end())
    }

    /// Opens a connection and sends CONNECT.
    pub(crate) fn connect(&self) -> Option<Attacker> {
        Attacker::connect(self.server.port, self.end())
    }

    /// Opens as many connections as the server accepts, up to `count`.
    pub(crate) fn connect_many(&self, count: usize) -> Vec<Attacker> {
        (0..count).map_while(|_| self.connect()).collect()
    }
}

impl Attack {
    /// Creates an attack on a server with the smallest sensible memory limit, so little data is
    /// needed to exceed it.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            max_memory: 64 * MIB,
            flags: Vec::new(),
            #[cfg(feature = "tls")]
            by_tls: false,
        }
    }

    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().copied().map(String::from));
        self
    }

    /// Sets another memory limit than 64 MiB.
    pub(crate) fn max_memory(mut self, mib: u64) -> Self {
        self.max_memory = mib * MIB;
        self
    }

    /// Uses a server that accepts only TLS, also for the bystanders.
    #[cfg(feature = "tls")]
    pub(crate) fn by_tls(mut self) -> Self {
        self.by_tls = true;
        self
    }

    /// Runs the attack. The attackers have left when it returns.
    pub(crate) fn run(self, attack: impl FnOnce(&Target)) {
        // A failed attack does not affect the next one.
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let workers = WORKERS.to_string();
        let max_memory = self.max_memory.to_string();
        let mut flags = vec!["--workers", &workers];
        if has_flag("--max-memory") {
            flags.extend(["--max-memory", &max_memory]);
        }
        flags.extend(self.flags.iter().map(String::as_str));
        #[cfg(feature = "tls")]
        let files = self.by_tls.then(|| Files::new(self.name));
        #[cfg(feature = "tls")]
        let paths = files
            .as_ref()
            .map(|files| ["server.pem", "server.key"].map(|name| files.path(name)));
        #[cfg(feature = "tls")]
        if let Some([certificate, key]) = &paths {
            flags.extend(["--tls-cert", certificate, "--tls-key", key]);
        }
        let server = Server::start(&flags);
        let connect = || -> Box<dyn Stream> {
            #[cfg(feature = "tls")]
            if let Some(files) = &files {
                return Box::new(files.client(&server, false));
            }
            Box::new(server.open().stream)
        };
        let pairs = pairs(&connect);

        let end = End::default();
        let bystanders: Vec<_> = pairs.map(|pair| pair.start(End::clone(&end))).into();
        let metronome = thread::spawn({
            let end = End::clone(&end);
            move || worst_delay(&end)
        });
        let target = Target {
            server: &server,
            start: Instant::now(),
            faults: Mutex::default(),
            #[cfg(feature = "tls")]
            files: files.as_ref(),
        };
        attack(&target);
        let faults = target.faults.into_inner().expect("as above");
        let gone = Instant::now();
        thread::sleep(AFTERMATH);
        *end.lock().expect("no panic with the lock") = Some(Instant::now());
        let measured: Vec<Measured> = bystanders
            .into_iter()
            .map(|bystander| bystander.join().expect("it does not panic"))
            .collect();
        let delay = metronome.join().expect("it does not panic");
        let idle = time_to_idle(&server, gone);
        let peak = server.peak_memory();
        let waited = server.longest_cpu_wait();
        still_answers(&connect);
        self.judge(Outcome {
            faults,
            start: target.start,
            lasted: gone - target.start,
            measured,
            delay,
            waited,
            peak,
            idle,
        });
    }

    fn judge(&self, outcome: Outcome) {
        let Outcome {
            mut faults,
            start,
            lasted,
            measured,
            delay,
            waited,
            peak,
            idle,
        } = outcome;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let mut figures = format!("{}: {:.1} s;", self.name, lasted.as_secs_f64());
        for (number, measured) in measured.into_iter().enumerate() {
            match measured {
                Ok(Requests {
                    mut round_trips,
                    longest_sent,
                }) => {
                    round_trips.sort_unstable();
                    let count = round_trips.len();
                    let (p99, max) = (round_trips[count * 99 / 100], round_trips[count - 1]);
                    let _ = write!(
                        figures,
                        " p99 {:.1} ms, max {:.1} ms from {:.1} s on, of {count};",
                        milliseconds(p99),
                        milliseconds(max),
                        longest_sent.saturating_duration_since(start).as_secs_f64()
                    );
                    if p99 > latency_bound() {
                        faults.push(format!("bystander {number} waits"));
                    }
                }
                Err(error) => faults.push(format!("bystander {number} lost: {error}")),
            }
        }
        let bound = stated_memory(WORKERS, self.max_memory);
        let _ = write!(
            figures,
            " a thread that only sleeps was {:.1} ms late, one of the server's waited {:.1} ms for a \
             CPU; peak {} of {} MiB; idle after {:.1} s",
            milliseconds(delay),
            waited.map_or(f64::NAN, milliseconds),
            peak / MIB,
            bound / MIB,
            idle.as_secs_f64()
        );
        if peak > bound {
            faults.push("too much memory".to_owned());
        }
        if idle > idle_bound() {
            faults.push("not idle in time".to_owned());
        }
        assert!(faults.is_empty(), "{figures}: {}", faults.join(", "));
        eprintln!("{figures}");
    }
}

/// Returns one pair per worker. New connections alternate between the workers, so each worker has a
/// requester, and the responder of the other worker's requester: every request passes through both
/// workers, and shows if either one hangs.
fn pairs(connect: &impl Fn() -> Box<dyn Stream>) -> [Pair; WORKERS] {
    let [first, second, third, fourth] = [(); 4].map(|()| connect());
    [Pair::new(0, first, second), Pair::new(1, fourth, third)]
}

/// Checks that new clients are served on every worker.
fn still_answers(connect: &impl Fn() -> Box<dyn Stream>) {
    let end = End::new(Mutex::new(Some(Instant::now() + Duration::from_millis(20))));
    for pair in pairs(connect) {
        let measured = pair.start(End::clone(&end)).join();
        let measured = measured.expect("it does not panic");
        assert!(measured.is_ok(), "new clients: {measured:?}");
    }
}

/// Returns the longest time by which the system delays a thread that does nothing but sleep, until
/// the end. It allows for nothing: it helps to tell a server that hangs from a machine that stands
/// still.
fn worst_delay(end: &End) -> Duration {
    const INTERVAL: Duration = Duration::from_millis(5);
    let mut worst = Duration::ZERO;
    loop {
        let start = Instant::now();
        if (*end.lock().expect("no panic with the lock")).is_some_and(|end| start > end) {
            return worst;
        }
        thread::sleep(INTERVAL);
        worst = worst.max(start.elapsed().saturating_sub(INTERVAL));
    }
}

/// Waits until the server uses less than a fifth of one CPU. Returns the time.
fn time_to_idle(server: &Server, since: Instant) -> Duration {
    const WINDOW: Duration = Duration::from_millis(100);
    loop {
        let (start, before) = (since.elapsed(), server.cpu_time());
        thread::sleep(WINDOW);
        let busy = server.cpu_time().saturating_sub(before);
        if busy <= WINDOW / 5 || start > idle_bound() * 5 {
            return start;
        }
    }
}

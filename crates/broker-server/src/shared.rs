//! The state that all threads of a server share.

#[cfg(feature = "tls")]
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam::queue::ArrayQueue;
use crossbeam::utils::CachePadded;

use super::batch::Batch;
use super::closed::ClosedConnections;
use super::config::Config;
use super::counters::{Counters, Published};
use super::health::Health;
use super::leaf::remote::Remote;
use super::local::Local;
use super::mailbox::{Given, Mail, Mailbox};
use super::pace;
use super::routes::Routes;
use super::settings::{ReloadError, Settings, fixed};

/// How long a reload waits for the workers to apply it.
const MOST_RENEWAL: Duration = Duration::from_secs(1);

/// Most used batches that a worker keeps.
const MOST_USED: usize = 4;

/// Larger batches are not kept.
const MOST_USED_BYTES: usize = 512 * 1024;

/// The state that all threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    settings: RwLock<Arc<Settings>>,
    /// The time of the last reload.
    reloaded: Mutex<Option<SystemTime>>,
    /// The hub, if one is configured.
    pub(crate) hub: Option<Arc<Remote>>,
    pub(crate) routes: Arc<Routes>,
    /// The address of the WebSocket port, if there is one.
    #[cfg(feature = "tls")]
    pub(crate) websocket: Option<SocketAddr>,
    pub(crate) workers: Vec<CachePadded<Peer>>,
    /// The list of closed connections.
    pub(crate) closed: Arc<ClosedConnections>,
    /// Queue of passwords whose check takes long.
    pub(crate) verify: Sender<Given>,
    /// Lame duck mode is on.
    pub(crate) lame_duck: AtomicBool,
    /// The server drains.
    pub(crate) draining: AtomicBool,
    /// The start of the server, which rounds are measured from.
    pub(crate) started: Instant,
}

/// The part of a worker that other threads see.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) mailbox: Mailbox,
    pub(crate) counters: Published,
    /// Memory that belongs to its connections, in bytes.
    pub(crate) held: AtomicUsize,
    /// Memory of its read buffers that are still in use, in bytes.
    pub(crate) lent: Arc<AtomicUsize>,
    /// Memory charged to its largest connection when it last checked, in bytes.
    pub(crate) largest: AtomicUsize,
    /// Connections given to it that are not closed yet.
    pub(crate) connections: Arc<AtomicUsize>,
    /// Start of its current round, in milliseconds after the start of the server.
    round: AtomicU64,
    /// It has sent everything that its clients published before the drain.
    pub(crate) quiet: AtomicBool,
    /// It has panicked.
    dead: AtomicBool,
    /// Its delivered batches, kept for reuse because their memory is allocated and in the caches.
    used_batches: ArrayQueue<Batch>,
    /// Its connections, from before the start to its end. Its thread holds the lock except while it
    /// waits for events.
    local: Mutex<Option<Local>>,
}

impl Peer {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            counters: Published::default(),
            held: AtomicUsize::new(0),
            lent: Arc::default(),
            largest: AtomicUsize::new(0),
            connections: Arc::default(),
            round: AtomicU64::new(0),
            quiet: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            used_batches: ArrayQueue::new(MOST_USED),
            local: Mutex::new(None),
        }
    }

    /// Returns an empty batch.
    pub(crate) fn batch(&self) -> Batch {
        self.used_batches.pop().unwrap_or_default()
    }

    /// Returns a delivered batch to the worker that filled it.
    pub(crate) fn give_back(&self, mut batch: Batch) {
        if batch.bytes() <= MOST_USED_BYTES {
            batch.clear();
            // If there are enough, the batch is freed.
            let _ = self.used_batches.push(batch);
        }
    }

    /// Locks its connections.
    ///
    /// # Panics
    ///
    /// If a thread panicked while it held the lock, because the state of the connections is
    /// unknown.
    pub(crate) fn local(&self) -> MutexGuard<'_, Option<Local>> {
        self.local.lock().expect("a worker has panicked")
    }

    /// Locks its connections, unless they are locked.
    pub(crate) fn try_local(&self) -> Option<MutexGuard<'_, Option<Local>>> {
        self.local.try_lock().ok()
    }

    /// Publishes its counters to other threads.
    pub(crate) fn publish(&self, local: &Local) {
        self.counters.renew(local.counters);
        self.held.store(local.held(), Ordering::Relaxed);
    }

    /// Closes the connections of a worker that has panicked, so its clients notice and no thread
    /// waits for it.
    pub(crate) fn bury(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.mailbox.close();
        let mut local = match self.local.lock() {
            Ok(local) => local,
            Err(poisoned) => poisoned.into_inner(),
        };
        *local = None;
        self.held.store(0, Ordering::Relaxed);
        self.connections.store(0, Ordering::Relaxed);
    }

    /// Returns how long its round has taken, `now` after the start of the server; `None` while it
    /// sleeps.
    pub(crate) fn busy_since(&self, now: Duration) -> Option<Duration> {
        let round = Duration::from_millis(self.round.load(Ordering::Relaxed));
        (!self.mailbox.is_asleep()).then(|| now.saturating_sub(round))
    }

    /// Returns whether it has panicked.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        settings: Settings,
        #[cfg(feature = "tls")] websocket: Option<SocketAddr>,
        verify: Sender<Given>,
        workers: Vec<CachePadded<Peer>>,
    ) -> Self {
        let hub = config.leaf.clone().map(|leaf| {
            let info = &settings.info;
            let (id, name) = (info.server_id.clone(), info.server_name.clone());
            Arc::new(Remote::new(leaf, id, name))
        });
        Self {
            closed: Arc::new(ClosedConnections::new(config.http.is_some())),
            config,
            settings: RwLock::new(Arc::new(settings)),
            reloaded: Mutex::default(),
            hub,
            routes: Arc::new(Routes::new()),
            #[cfg(feature = "tls")]
            websocket,
            workers,
            verify,
            lame_duck: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// Returns the current settings.
    ///
    /// # Panics
    ///
    /// If a reload panicked.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().expect("a reload has panicked"))
    }

    /// Applies another configuration: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// A change that needs a restart, an invalid value, or an unreadable file. In that case nothing
    /// has changed.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), ReloadError> {
        let config = config.clone().bounded();
        if let Some(what) = fixed(&self.config, &config) {
            return Err(ReloadError::Fixed(what));
        }
        let settings = Settings::new(&config, &self.settings().info)?;
        self.renew(&Arc::new(settings));
        *self.last_reload() = Some(SystemTime::now());
        self.close_excess(config.max_connections);
        Ok(())
    }

    fn last_reload(&self) -> MutexGuard<'_, Option<SystemTime>> {
        let reloaded = self.reloaded.lock();
        reloaded.unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time of the last reload.
    pub(crate) fn reloaded(&self) -> Option<SystemTime> {
        *self.last_reload()
    }

    /// Closes the newest connections of the fullest workers until `most` remain.
    fn close_excess(&self, most: usize) {
        let count = |peer: &CachePadded<Peer>| peer.connections.load(Ordering::Relaxed);
        let connections: Vec<_> = self.workers.iter().map(count).collect();
        let excess = pace::excess(&connections, most);
        let total: usize = excess.iter().sum();
        if total > 0 {
            tracing::warn!("closing {total} connections: max_connections is now {most}");
        }
        for (peer, excess) in self.workers.iter().zip(excess) {
            if excess > 0 {
                peer.mailbox.send(Mail::Excess(excess));
            }
        }
    }

    /// Gives new settings to all workers, and waits a short time for them to apply them.
    ///
    /// # Panics
    ///
    /// If an earlier reload panicked.
    fn renew(&self, settings: &Arc<Settings>) {
        *self.settings.write().expect("a reload has panicked") = Arc::clone(settings);
        let untaken = Arc::new(());
        for peer in self.workers.iter().filter(|peer| !peer.is_dead()) {
            let mail = Mail::Settings(Arc::clone(settings), Arc::clone(&untaken));
            peer.mailbox.send(mail);
        }
        let deadline = Instant::now() + MOST_RENEWAL;
        while Arc::strong_count(&untaken) > 1 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the number of connections of all workers.
    pub(crate) fn connections(&self) -> usize {
        let of = |peer: &CachePadded<Peer>| peer.connections.load(Ordering::Relaxed);
        self.workers.iter().map(of).sum()
    }

    /// Returns the sum of all workers' counters.
    pub(crate) fn counters(&self) -> Counters {
        self.workers.iter().map(|peer| peer.counters.read()).sum()
    }

    /// Returns the approximate memory held for clients, in bytes.
    pub(crate) fn held(&self) -> usize {
        let of = |peer: &CachePadded<Peer>| {
            peer.held.load(Ordering::Relaxed) + peer.lent.load(Ordering::Relaxed)
        };
        self.workers.iter().map(of).sum()
    }

    /// Returns whether the memory limit is exceeded.
    pub(crate) fn is_over_memory(&self) -> bool {
        self.held() > self.config.max_memory
    }

    /// Records the start of a worker's round.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "u64 holds more milliseconds than any server runs"
    )]
    pub(crate) fn begin_round(&self, worker: usize, now: Instant) {
        let since = now.saturating_duration_since(self.started).as_millis() as u64;
        self.workers[worker].round.store(since, Ordering::Relaxed);
    }

    /// Returns the health for `/healthz`.
    pub(crate) fn health(&self) -> Health {
        let now = self.started.elapsed();
        let failed = self.workers.iter().position(|peer| peer.is_dead());
        let rounds = self.workers.iter().map(|peer| peer.busy_since(now));
        let end = if self.draining.load(Ordering::Relaxed) {
            Some(Health::Draining)
        } else {
            let lame_duck = self.lame_duck.load(Ordering::Relaxed);
            lame_duck.then_some(Health::LameDuck)
        };
        Health::of(failed, end, rounds)
    }

    /// Returns whether a worker has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.workers.iter().any(|peer| peer.is_dead())
    }

    /// Returns whether all workers have sent everything that clients published before the drain,
    /// and all of it was processed.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut workers = self.workers.iter();
        if !workers.all(|peer| peer.quiet.load(Ordering::SeqCst) || peer.is_dead()) {
            return false;
        }
        // In this order: a batch sent in between makes the second number larger.
        let settled: u64 = self.workers.iter().map(|peer| peer.mailbox.settled()).sum();
        let sent: u64 = self.workers.iter().map(|peer| peer.mailbox.sent()).sum();
        settled == sent
    }

    /// Gives a worker its connections.
    pub(crate) fn place(&self, index: usize, local: Local) {
        *self.workers[index].local() = Some(local);
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::{Asker, Errand};
    use super::super::key::{ConnectionKey, Target};
    use super::super::local::Origin;
    use super::*;
    use broker_protocol::{Message, Span};

    #[test]
    fn few_used_batches_are_kept_and_no_large_ones() {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let peer = Peer::new(Mailbox::new(waker));
        let key = ConnectionKey::new(0, 0, 0);
        let target = Target {
            connection: key,
            place: 0,
            serial: 0,
        };
        let batch_of = |bytes| {
            let (all, none) = (Span::new(0, bytes), Span::default());
            let message = Message {
                subject: none,
                reply: none,
                tail: all,
                body: all,
                headers: 0,
            };
            let errand = Errand {
                origin: Origin {
                    key,
                    echo: true,
                    hub: false,
                },
                hops: 0,
                asker: &Asker::Nobody,
                group: None,
            };
            let mut batch = Batch::default();
            batch.add(&vec![0; bytes].into(), &message, &target, errand);
            batch
        };
        peer.give_back(batch_of(MOST_USED_BYTES));
        assert!(peer.used_batches.is_empty());
        for _ in 0..=MOST_USED {
            peer.give_back(batch_of(100));
        }
        assert_eq!(peer.used_batches.len(), MOST_USED);
        assert!(peer.batch().is_empty());
        assert_eq!(peer.used_batches.len(), MOST_USED - 1);
    }
}

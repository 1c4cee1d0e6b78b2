//! What all threads of a server see.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread;
use std::time::{Duration, Instant};

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
use super::routes::Routes;
use super::settings::{ReloadError, Settings, fixed};
#[cfg(feature = "tls")]
use super::websocket::Port;

/// How long a reload waits for the workers to go by what is new.
const MOST_RENEWAL: Duration = Duration::from_secs(1);

/// Used batches of a worker that are kept, at most.
const MOST_USED: usize = 4;

/// Those with more bytes than this are not kept.
const MOST_USED_BYTES: usize = 512 * 1024;

/// What all threads see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    settings: RwLock<Arc<Settings>>,
    /// The hub that the server is a leaf node of, if it is.
    pub(crate) hub: Option<Arc<Remote>>,
    pub(crate) routes: Arc<Routes>,
    /// The port for WebSocket, if there is one.
    #[cfg(feature = "tls")]
    pub(crate) websocket: Option<Port>,
    pub(crate) workers: Vec<CachePadded<Peer>>,
    /// The connections that were closed last.
    pub(crate) closed: Arc<ClosedConnections>,
    /// Where passwords are checked, if that takes long.
    pub(crate) verify: Sender<Given>,
    /// The server sends its clients to other servers.
    pub(crate) lame_duck: AtomicBool,
    /// The server is about to end.
    pub(crate) draining: AtomicBool,
    /// From when on rounds count.
    pub(crate) started: Instant,
}

/// A worker as the other threads see it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) mailbox: Mailbox,
    pub(crate) counters: Published,
    /// Memory that belongs to its connections, in bytes.
    pub(crate) held: AtomicUsize,
    /// Memory into which it has read and that is still needed, in bytes.
    pub(crate) lent: Arc<AtomicUsize>,
    /// What its largest connection was answerable for when it looked last, in bytes.
    pub(crate) largest: AtomicUsize,
    /// Connections given to it that are not closed yet.
    pub(crate) connections: Arc<AtomicUsize>,
    /// When its round began, in milliseconds after the start of the server.
    round: AtomicU64,
    /// It has sent all that its clients had published before the server was told to end.
    pub(crate) quiet: AtomicBool,
    /// It has panicked.
    dead: AtomicBool,
    /// Batches of it that others have delivered, to be filled again: their memory
    /// is there, and in the caches.
    used_batches: ArrayQueue<Batch>,
    /// Its connections, from before the start to its end: locked by its thread, but for
    /// the time that this waits for events.
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

    /// An empty batch for it to fill.
    pub(crate) fn batch(&self) -> Batch {
        self.used_batches.pop().unwrap_or_default()
    }

    /// Gives a batch of it back that has been delivered.
    pub(crate) fn give_back(&self, mut batch: Batch) {
        if batch.bytes() <= MOST_USED_BYTES {
            batch.clear();
            // When there are enough of them, this one goes.
            let _ = self.used_batches.push(batch);
        }
    }

    /// Its connections, once nobody else has them.
    ///
    /// # Panics
    ///
    /// If whoever had them panicked: nobody knows in which state they are.
    pub(crate) fn local(&self) -> MutexGuard<'_, Option<Local>> {
        self.local.lock().expect("a worker has panicked")
    }

    /// Its connections, unless somebody has them.
    pub(crate) fn try_local(&self) -> Option<MutexGuard<'_, Option<Local>>> {
        self.local.try_lock().ok()
    }

    /// Shows other threads what was counted so far.
    pub(crate) fn publish(&self, local: &Local) {
        self.counters.renew(local.counters);
        self.held.store(local.held(), Ordering::Relaxed);
    }

    /// Ends the connections of a worker that has panicked: their clients shall see it,
    /// and nobody shall wait for them.
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

    /// How long its round has been going on, `now` after the start of the server; `None`
    /// while it sleeps.
    pub(crate) fn busy_since(&self, now: Duration) -> Option<Duration> {
        let round = Duration::from_millis(self.round.load(Ordering::Relaxed));
        (!self.mailbox.is_asleep()).then(|| now.saturating_sub(round))
    }

    /// Whether it has panicked.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        settings: Settings,
        #[cfg(feature = "tls")] websocket: Option<Port>,
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

    /// What the server goes by now.
    ///
    /// # Panics
    ///
    /// If whoever renewed them panicked.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().expect("a reload has panicked"))
    }

    /// Has the server go by another configuration: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// What cannot change, makes no sense or cannot be read. Nothing has changed then.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), ReloadError> {
        if let Some(what) = fixed(&self.config, config) {
            return Err(ReloadError::Fixed(what));
        }
        let settings = Settings::new(config, &self.settings().info)?;
        self.renew(&Arc::new(settings));
        Ok(())
    }

    /// Has all go by others, and waits for workers that are not busy for long.
    ///
    /// # Panics
    ///
    /// If whoever renewed them before panicked.
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

    /// Connections of all workers.
    pub(crate) fn connections(&self) -> usize {
        let of = |peer: &CachePadded<Peer>| peer.connections.load(Ordering::Relaxed);
        self.workers.iter().map(of).sum()
    }

    /// The counters of all workers.
    pub(crate) fn counters(&self) -> Counters {
        self.workers.iter().map(|peer| peer.counters.read()).sum()
    }

    /// Memory held for clients, in bytes, about.
    pub(crate) fn held(&self) -> usize {
        let of = |peer: &CachePadded<Peer>| {
            peer.held.load(Ordering::Relaxed) + peer.lent.load(Ordering::Relaxed)
        };
        self.workers.iter().map(of).sum()
    }

    /// Whether that is more than it may be.
    pub(crate) fn is_over_memory(&self) -> bool {
        self.held() > self.config.max_memory
    }

    /// Notes that a round of a worker begins.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is not milliseconds that end u64"
    )]
    pub(crate) fn begin_round(&self, worker: usize, now: Instant) {
        let since = now.saturating_duration_since(self.started).as_millis() as u64;
        self.workers[worker].round.store(since, Ordering::Relaxed);
    }

    /// What `/healthz` tells.
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

    /// Whether a worker has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.workers.iter().any(|peer| peer.is_dead())
    }

    /// Whether all workers have sent all that clients had published before the end of
    /// the server, and all of that was carried out.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut workers = self.workers.iter();
        if !workers.all(|peer| peer.quiet.load(Ordering::SeqCst) || peer.is_dead()) {
            return false;
        }
        // In this order: a batch that is sent in between makes the second number larger.
        let settled: u64 = self.workers.iter().map(|peer| peer.mailbox.settled()).sum();
        let sent: u64 = self.workers.iter().map(|peer| peer.mailbox.sent()).sum();
        settled == sent
    }

    /// Has the worker at `index` own these connections.
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

//! A server for clients of NATS.
//!
//! A fixed number of workers, each with an event loop over the connections that
//! it owns. A message for a connection of the same worker is appended to its
//! output at once; those for another worker are collected during a round and sent
//! in one batch. [`Server::bind`] opens what can fail, [`Server::run`] serves.

#![forbid(unsafe_code)]

mod accept;
mod batch;
mod cache;
mod chunks;
mod config;
mod connection;
mod counters;
mod dispatch;
mod execute;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod health;
mod input;
#[cfg(test)]
mod interleavings;
mod key;
mod leaf;
mod listen;
mod local;
mod log_limit;
mod mailbox;
mod monitor;
mod output;
#[cfg(test)]
mod panic;
#[cfg(any(test, fuzzing))]
mod rig;
mod routes;
mod shared;
mod signals;
mod stall;
mod subscriptions;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod turns;
mod verify;
mod waiting;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;

use crossbeam::utils::CachePadded;
use mio::{Poll, Waker};

pub use config::{Allocator, Config, Credentials, TlsFiles};
pub use leaf::{Leaf, LeafUrl, ProofFile, may_be_denied};
#[cfg(feature = "tls")]
pub use tls::TlsError;

use accept::Acceptor;
use broker_protocol::ServerInfo;
use leaf::dialler::Dialler;
use local::Local;
use mailbox::Mailbox;
use monitor::Monitor;
use shared::{Peer, Shared};
use signals::Signals;
use worker::{MAIL, Worker};

/// Runs a server without threads through what the input says, and checks what its
/// clients get: for cargo-fuzz, which alone builds it.
///
/// # Panics
///
/// If a client does not get what it should, or gets what it should not.
#[cfg(fuzzing)]
pub fn fuzz_delivery(input: &[u8]) {
    fuzz::check(input);
}

/// Stack of a thread in bytes. Nothing here recurses deeply, and builds without
/// optimisation need the larger part of it.
const STACK: usize = 512 * 1024;

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address is not to be had.
    #[error("cannot listen on {address}: {source}; choose another address with {flag}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
        /// The flag that sets the address.
        flag: &'static str,
    },
    /// The files for TLS are of no use.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The program was built without TLS.
    #[error("this build has no TLS; leave out the --tls options or build with the feature `tls`")]
    NoTls,
    /// Some other thing that the system would not give.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A thread has panicked; standard error has its message.
    #[error("a bug in the server ended its thread \"{0}\"; others were drained. Please report it")]
    Panicked(&'static str),
    /// Not everything could be written before the end.
    #[error(
        "clients did not take all that waited for them within --drain-timeout; it is lost to them"
    )]
    Undrained,
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> ServerError {
    move |source| ServerError::System { what, source }
}

/// A server that is ready to be run.
#[derive(Debug)]
pub struct Server {
    acceptor: Acceptor,
    monitor: Option<Monitor>,
    workers: Vec<(Worker, Poll)>,
    shared: Arc<Shared>,
}

impl Server {
    /// Opens all that a server needs: its port, its files, its signals.
    ///
    /// # Errors
    ///
    /// What cannot be had, and why.
    pub fn bind(config: Config) -> Result<Self, ServerError> {
        #[cfg(feature = "tls")]
        let tls = config.tls.as_ref().map(tls::load).transpose()?;
        #[cfg(not(feature = "tls"))]
        if config.tls.is_some() {
            return Err(ServerError::NoTls);
        }
        let signals = Signals::register().map_err(system("listen to signals"))?;
        let acceptor = Acceptor::bind(config.listen, signals)?;
        let address = acceptor.address;
        let monitor = config.http.map(Monitor::bind).transpose()?;
        tracing::info!("listening on {address}");
        if let Some(monitor) = &monitor {
            tracing::info!("monitoring on {}", monitor.address);
        }
        if !address.ip().is_loopback() && !config.credentials.are_wanted() {
            tracing::warn!(
                "anyone who reaches {address} may publish and subscribe: there is neither --token nor --user"
            );
        }

        let mut polls = Vec::new();
        let mut peers = Vec::new();
        for _ in 0..config.workers {
            let poll = Poll::new().map_err(system("ask for events"))?;
            let waker = Waker::new(poll.registry(), MAIL).map_err(system("ask for events"))?;
            polls.push(poll);
            peers.push(CachePadded::new(Peer::new(Mailbox::new(waker))));
        }
        let info = info(&config, address);
        let (verify, given) = if config.credentials.are_hashed() {
            let (verify, given) = mpsc::channel();
            (Some(verify), Some(given))
        } else {
            (None, None)
        };
        let shared = Arc::new(Shared::new(
            config,
            info,
            #[cfg(feature = "tls")]
            tls,
            verify,
            peers,
        ));
        if let Some(given) = given {
            verify::start(Arc::clone(&shared), given)?;
        }
        let mut workers = Vec::new();
        for (index, poll) in polls.into_iter().enumerate() {
            let registry = poll.registry().try_clone();
            let registry = registry.map_err(system("ask for events"))?;
            let peer = &shared.workers[index];
            let (routes, connections) = (Arc::clone(&shared.routes), Arc::clone(&peer.connections));
            let local = Local::new(index, &shared.config, routes, connections);
            shared.place(index, local);
            workers.push((Worker::new(index, Arc::clone(&shared), registry), poll));
        }
        Ok(Self {
            acceptor,
            monitor,
            workers,
            shared,
        })
    }

    /// Serves clients until a signal ends it.
    ///
    /// A panic in a worker ends it too: the clients of that worker lose their
    /// connections, those of others get what waits for them.
    ///
    /// # Errors
    ///
    /// When it cannot go on, or ends with something lost.
    pub fn run(self) -> Result<(), ServerError> {
        let mut threads = Vec::new();
        for (worker, poll) in self.workers {
            let waker = self.acceptor.waker();
            let index = worker.index();
            let shared = Arc::clone(&self.shared);
            let work = move || {
                let served = catch_unwind(AssertUnwindSafe(|| worker::run(worker, poll)));
                if !matches!(served, Ok(Ok(_))) {
                    shared.workers[index].bury();
                    // It has no way to fail that would matter more than this.
                    let _ = waker.wake();
                }
                match served {
                    Ok(served) => served.map_err(Failure::System),
                    Err(_) => Err(Failure::Panic),
                }
            };
            threads.push(spawn("worker", work)?);
        }
        let monitor = self.monitor;
        // Dropped at the end, it ends.
        let _monitor = monitor
            .map(|monitor| monitor.start(Arc::clone(&self.shared)))
            .transpose()?;
        let hub = self.shared.hub.as_ref();
        let dialler = hub
            .map(|remote| Dialler::start(&self.shared, remote))
            .transpose()?;
        self.acceptor.run(&self.shared)?;
        dialler.inspect(Dialler::stop);
        let mut clean = true;
        let mut failure = None;
        for thread in threads {
            match thread.join() {
                Ok(Ok(all)) => clean &= all,
                Ok(Err(Failure::System(source))) => {
                    failure = Some(system("wait for events")(source));
                }
                Ok(Err(Failure::Panic)) | Err(_) => failure = Some(ServerError::Panicked("worker")),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if !clean {
            return Err(ServerError::Undrained);
        }
        tracing::info!("drained");
        Ok(())
    }
}

/// Why a worker ended before the server.
#[derive(Debug)]
enum Failure {
    /// It has no events any more.
    System(io::Error),
    /// It has panicked.
    Panic,
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, ServerError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map_err(system("start a thread"))
}

fn info(config: &Config, address: SocketAddr) -> ServerInfo {
    let server_id = server_id();
    ServerInfo {
        server_name: config.name.clone().unwrap_or_else(|| server_id.clone()),
        server_id,
        version: env!("CARGO_PKG_VERSION"),
        proto: 1,
        host: address.ip().to_string(),
        port: address.port(),
        headers: true,
        auth_required: config.credentials.are_wanted(),
        tls_required: config.tls.is_some(),
        tls_verify: config.tls.as_ref().is_some_and(|tls| tls.ca.is_some()),
        max_payload: config.limits.max_payload,
        client_id: 0,
        client_ip: String::new(),
        ldm: false,
    }
}

/// Something that looks like the public key by which nats-server is known.
fn server_id() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = std::iter::repeat_with(|| char::from(LETTERS[fastrand::usize(..LETTERS.len())]));
    std::iter::once('N').chain(letters.take(55)).collect()
}

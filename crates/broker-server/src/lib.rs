//! A server for clients of NATS, to be part of a program or of its tests.
//!
//! It speaks the [NATS client protocol], so that clients of NATS in any language can
//! connect to it: subjects with `*` and `>`, queue groups, headers, request–reply with
//! no-responders, users and tokens, TLS, monitoring by HTTP. `broker serve` is this
//! crate with a command line.
//!
//! # In a test
//!
//! [`Server::start`] starts a server at a free port of the loopback interface. It ends
//! when what it returns is dropped, and leaves no thread and no open file behind.
//! Several of them can run in one process.
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use std::net::TcpStream;
//!
//! use broker_server::Server;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start()?;
//!
//! // A client of NATS would be given `server.url()`. This one speaks for itself.
//! let mut client = BufReader::new(TcpStream::connect(server.address())?);
//! client.get_mut().write_all(
//!     b"CONNECT {\"verbose\":false}\r\nSUB greetings.* 1\r\nPUB greetings.world 5\r\nhello\r\n",
//! )?;
//! let mut lines = client.lines();
//! assert!(lines.next().unwrap()?.starts_with("INFO {"));
//! assert_eq!(lines.next().unwrap()?, "MSG greetings.world 1 5");
//! assert_eq!(lines.next().unwrap()?, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! # In a program
//!
//! [`Server::bind`] opens ports and reads files, and reports what fails.
//! [`Server::run`] serves in the thread that calls it, [`Server::spawn`] in another. A
//! [`Handle`] ends the server from any thread: [`drain`](Handle::drain) gives clients
//! what waits for them, [`lame_duck`](Handle::lame_duck) sends them to other servers
//! first, [`stop`](Handle::stop) does not wait.
//!
//! ```
//! use broker_server::{Config, Credentials, Server};
//!
//! # fn main() -> Result<(), broker_server::ServerError> {
//! let server = Server::bind(Config {
//!     listen: ([127, 0, 0, 1], 0).into(),
//!     credentials: Credentials::Token("a secret".to_owned()),
//!     max_connections: 100,
//!     ..Config::default()
//! })?;
//! let handle = server.handle();
//! println!("clients connect to {}", handle.url());
//! # let asks = std::thread::spawn(move || handle.drain());
//! // Until some thread calls `handle.drain()`:
//! server.run()?;
//! # asks.join().unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! A server takes no signal, changes no limit of the process, and never ends the process:
//! all of that is left to the program. It logs by [`tracing`]. What the allocator of the
//! program is asked is in [`Config::allocator`].
//!
//! # What there is not
//!
//! - **No persistence.** A message goes to those who subscribe to its subject at that time.
//!   Streams, key–value and object stores (JetStream) come from a NATS server to which this
//!   one connects as a leaf node, see [`Config::leaf`].
//! - **No cluster** of several of these servers, no accounts, no MQTT.
//! - [`Config`] is taken once. Another one needs another server.
//!
//! # What it bounds
//!
//! Clients are not trusted with more than their share: connections, subscriptions, sizes,
//! times and memory have bounds, which are fields of [`Config`] and have the defaults of
//! `broker serve`. The process takes at most 32 MiB, 16 MiB for each of
//! [`Config::workers`], and 1.25 times [`Config::max_memory`] for it, beside what the
//! program takes itself. Each connection is an open file: a program that serves many has
//! to raise its limit, as `broker serve` does.
//!
//! # How it works
//!
//! A fixed number of workers, each with an event loop over the connections that it owns.
//! A message for a connection of the same worker is appended to its output at once; those
//! for another worker are collected during a round and sent in one batch. A server has a
//! thread for each worker and one that takes connections; one more each for monitoring, for
//! a leaf node's connection, and for passwords that are given as hashes.
//!
//! # Features
//!
//! - `tls`: TLS for clients and to hubs, and NKeys. Without it, a [`Config`] that asks for
//!   TLS is refused. Its cryptography is partly C and assembly, and needs a C compiler.
//!
//! [NATS client protocol]: https://docs.nats.io/reference/reference-protocols/nats-protocol

#![forbid(unsafe_code)]

// Tests run with the memory routines that the program has.
#[cfg(test)]
use broker_runtime as _;

mod about;
mod accept;
mod access;
mod batch;
mod cache;
mod chunks;
mod closed;
mod closed_state;
mod config;
mod connection;
mod counters;
mod dispatch;
mod ending;
mod execute;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod handle;
mod health;
mod input;
mod inspect;
#[cfg(test)]
mod interleavings;
mod key;
#[cfg(feature = "tls")]
mod layers;
mod leaf;
mod listen;
mod local;
mod log_limit;
mod mailbox;
mod monitor;
#[cfg(feature = "tls")]
mod nkey;
mod origin;
mod output;
mod pace;
#[cfg(test)]
mod panic;
mod reason;
#[cfg(any(test, fuzzing))]
mod rig;
mod rights;
mod routes;
mod row;
mod running;
mod settings;
mod shared;
mod stall;
mod subscriptions;
mod tally;
#[cfg(feature = "tls")]
mod tls;
mod trace;
mod transport;
mod turns;
mod upkeep;
mod users;
mod verify;
mod waiting;
#[cfg(feature = "tls")]
mod websocket;
mod worker;
mod worker_threads;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use crossbeam::utils::CachePadded;
use mio::{Poll, Waker};

pub use access::AccessError;
pub use broker_protocol::Limits;
pub use config::{Allocator, Config, Credentials, First, TlsFiles, TlsStart, WebSocketConfig};
pub use handle::Handle;
pub use leaf::{Leaf, LeafUrl, ProofFile, may_be_denied};
pub use origin::{BadOrigin, Origin};
pub use running::Running;
pub use settings::ReloadError;
#[cfg(feature = "tls")]
pub use tls::TlsError;
pub use users::{Login, Permissions, Responses, Subjects, User};

use accept::Acceptor;
use broker_protocol::{GO, PROTOCOL_VERSION, ServerInfo};
use leaf::dialler::Dialler;
use local::Local;
use mailbox::{Given, Mail, Mailbox};
use monitor::Monitor;
use settings::Settings;
use shared::{Peer, Shared};
#[cfg(feature = "tls")]
use websocket::Port;
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
    /// What is configured makes no sense.
    #[error(transparent)]
    Config(#[from] ReloadError),
    /// The files for TLS to a hub are of no use.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The program was built without TLS.
    #[error("this build has no TLS; leave out the --tls options or build with the feature `tls`")]
    NoTls,
    /// The program was built without WebSocket.
    #[error(
        "this build has no WebSocket; leave out the --websocket options or build with the feature `tls`"
    )]
    NoWebSocket,
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

/// Threads of a server that [`Server::start`] has at most, beside the one that takes
/// connections.
const MOST_STARTED: usize = 2;

/// A server that is ready to be run. Clients can connect already, and wait.
#[derive(Debug)]
pub struct Server {
    acceptor: Acceptor,
    monitor: Option<Monitor>,
    workers: Vec<(Worker, Poll)>,
    /// Passwords that are to be checked.
    given: mpsc::Receiver<Given>,
    shared: Arc<Shared>,
}

impl Server {
    /// Opens all that a server needs: its ports and its files. It starts no thread.
    ///
    /// # Errors
    ///
    /// What cannot be had, and why.
    pub fn bind(config: Config) -> Result<Self, ServerError> {
        #[cfg(not(feature = "tls"))]
        if config.tls.is_some() {
            return Err(ServerError::NoTls);
        }
        #[cfg(not(feature = "tls"))]
        if config.websocket.is_some() {
            return Err(ServerError::NoWebSocket);
        }
        // Before the port is taken: it may not make sense.
        let mut settings = Settings::new(&config, &info(&config, config.listen))?;
        #[cfg_attr(not(feature = "tls"), allow(unused_mut))]
        let mut acceptor = Acceptor::bind(config.listen)?;
        #[cfg(feature = "tls")]
        let websocket = match &config.websocket {
            None => None,
            Some(websocket) => {
                let address = acceptor.bind_websocket(websocket.listen)?;
                Some(Port::new(websocket, address, &config.limits)?)
            }
        };
        let address = acceptor.address;
        let monitor = config.http.map(Monitor::bind).transpose()?;
        tracing::info!("Listening for client connections on {address}");
        if let Some(monitor) = &monitor {
            tracing::info!("Starting http monitor on {}", monitor.address);
        }
        #[cfg(feature = "tls")]
        if let Some(port) = &websocket {
            port.log();
        }
        if !address.ip().is_loopback() && !config.credentials.are_wanted() {
            tracing::warn!(
                "anyone who reaches {address} may publish and subscribe: there is neither a token nor a user"
            );
        }

        let mut polls = Vec::new();
        let mut peers = Vec::new();
        for _ in 0..config.workers.max(1) {
            let poll = Poll::new().map_err(system("ask for events"))?;
            let waker = Waker::new(poll.registry(), MAIL).map_err(system("ask for events"))?;
            polls.push(poll);
            peers.push(CachePadded::new(Peer::new(Mailbox::new(waker))));
        }
        settings.info.host = address.ip().to_string();
        settings.info.port = address.port();
        let (verify, given) = mpsc::channel();
        let shared = Arc::new(Shared::new(
            config,
            settings,
            #[cfg(feature = "tls")]
            websocket,
            verify,
            peers,
        ));
        let mut workers = Vec::new();
        for (index, poll) in polls.into_iter().enumerate() {
            let registry = poll.registry().try_clone();
            let registry = registry.map_err(system("ask for events"))?;
            let peer = &shared.workers[index];
            let (routes, connections) = (Arc::clone(&shared.routes), Arc::clone(&peer.connections));
            let closed = Arc::clone(&shared.closed);
            let local = Local::new(index, &shared.config, routes, connections, closed);
            shared.place(index, local);
            workers.push((Worker::new(index, Arc::clone(&shared), registry), poll));
        }
        Ok(Self {
            acceptor,
            monitor,
            workers,
            given,
            shared,
        })
    }

    /// Starts a server for tests: at a free port of the loopback interface, with one or
    /// two workers, else with the [defaults](Config::default).
    ///
    /// # Errors
    ///
    /// What cannot be had, and why.
    pub fn start() -> Result<Running, ServerError> {
        let config = Config::default();
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            workers: config.workers.min(MOST_STARTED),
            ..config
        };
        Self::bind(config)?.spawn()
    }

    /// A way to reach the server from any thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let monitor = self.monitor.as_ref().map(|monitor| monitor.address);
        self.acceptor.handle(monitor, &self.shared)
    }

    /// Serves clients in a thread of its own until the server is asked to end by a
    /// [`Handle`], or until what this returns is dropped.
    ///
    /// # Errors
    ///
    /// When the system has no thread for it.
    pub fn spawn(self) -> Result<Running, ServerError> {
        let handle = self.handle();
        let thread = spawn("server", move || {
            let (ended, rest) = self.serve();
            for thread in rest {
                // If it has panicked, that was told when it did.
                let _ = thread.join();
            }
            ended
        })?;
        Ok(Running::new(handle, thread))
    }

    /// Serves clients until the server is asked to end by a [`Handle`].
    ///
    /// A panic in a worker ends it too: the clients of that worker lose their
    /// connections, those of others get what waits for them.
    ///
    /// Of its threads, those that connect to a hub and check passwords may be in the midst
    /// of that when it returns. They end when they are done with it.
    ///
    /// # Errors
    ///
    /// When it cannot go on, or ends with something lost.
    pub fn run(self) -> Result<(), ServerError> {
        self.serve().0
    }

    /// Serves clients to the end. Returns the threads that may be busy for a while, and
    /// have been told to end.
    fn serve(self) -> (Result<(), ServerError>, Vec<JoinHandle<()>>) {
        let Self {
            acceptor,
            monitor,
            workers,
            given,
            shared,
        } = self;
        let handle = acceptor.handle(None, &shared);
        let (mut threads, mut rest) = (Vec::new(), Vec::new());
        let alive = Arc::new(AtomicUsize::new(0));
        let start = || {
            for (worker, poll) in workers {
                let waker = acceptor.waker();
                threads.push(worker_threads::start(worker, poll, &shared, waker, &alive)?);
            }
            rest.push(verify::start(&shared, given)?);
            // Dropped at the end, it ends.
            let _monitor = monitor
                .map(|monitor| monitor.start(Arc::clone(&shared)))
                .transpose()?;
            let hub = shared.hub.as_ref();
            let dialler = hub
                .map(|remote| Dialler::start(&shared, remote))
                .transpose()?;
            tracing::info!("Server is ready");
            let ended = acceptor
                .run(&shared)
                .and_then(|ending| ending.run(&shared, &alive));
            rest.extend(dialler.map(Dialler::stop));
            ended
        };
        let served = start();
        if served.is_err() {
            ending::send_all(&shared, || Mail::Stop);
        }
        let ended = served.and(worker_threads::join(threads));
        if ended.is_ok() {
            let stopped = handle.was_stopped();
            tracing::info!("{}", if stopped { "stopped" } else { "drained" });
        }
        (ended, rest)
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ServerError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map_err(system("start a thread"))
}

/// What INFO tells of the server itself.
fn info(config: &Config, address: SocketAddr) -> ServerInfo {
    let server_id = server_id();
    ServerInfo {
        server_name: config.name.clone().unwrap_or_else(|| server_id.clone()),
        server_id,
        version: env!("CARGO_PKG_VERSION"),
        protocol_version: PROTOCOL_VERSION,
        go: GO,
        proto: 1,
        host: address.ip().to_string(),
        port: address.port(),
        headers: true,
        auth_required: false,
        tls_required: false,
        tls_available: false,
        tls_verify: false,
        nonce: None,
        max_payload: 0,
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

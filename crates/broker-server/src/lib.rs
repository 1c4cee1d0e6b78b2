//! A server for NATS clients, for use in a program or its tests.
//!
//! It speaks the [NATS client protocol], so NATS clients in any language can connect to it:
//! subjects with `*` and `>`, queue groups, headers, request–reply with no-responders, users and
//! tokens, TLS, monitoring over HTTP. `broker serve` is this crate with a command line.
//!
//! # In a test
//!
//! [`Server::start`] starts a server on a free port of the loopback interface. The server ends when
//! the returned value is dropped, and leaves no thread and no open file behind. Several servers can
//! run in one process.
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
//! // A NATS client would connect to `server.url()`. This one sends the protocol's lines itself.
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
//! [`Server::bind`] opens ports and reads files, and reports errors. [`Server::run`] serves in the
//! calling thread, [`Server::spawn`] in another. A [`Handle`] ends the server from any thread:
//! [`drain`](Handle::drain) writes the clients' pending output first,
//! [`lame_duck`](Handle::lame_duck) sends clients to other servers before that, and
//! [`stop`](Handle::stop) does not wait.
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
//! A server handles no signals, changes no limit of the process, and never ends the process: all of
//! that is the program's task. It logs with [`tracing`]. [`Config::allocator`] connects it to the
//! program's allocator.
//!
//! # What is missing
//!
//! - **No persistence.** A message goes to the current subscribers of its subject. Streams,
//!   key–value and object stores (JetStream) come from a NATS server to which this server connects
//!   as a leaf node, see [`Config::leaf`].
//! - **No cluster** of several of these servers, no accounts, no MQTT.
//! - **Partial reload.** [`Handle::reload`] changes a part of the [`Config`]; other changes need a
//!   new server.
//!
//! # Limits
//!
//! Connections, subscriptions, sizes, times and memory of clients have limits, which are fields of
//! [`Config`] and have the defaults of `broker serve`. The process uses at most 32 MiB, 16 MiB for
//! each of [`Config::workers`], and 1.25 times [`Config::max_memory`] for the server, in addition
//! to the program's own memory. Each connection is an open file: a program with many connections
//! must raise its limit, as `broker serve` does.
//!
//! # How it works
//!
//! A fixed number of workers each run an event loop over the connections that they own. A message
//! for a connection of the same worker is appended to its output at once; messages for another
//! worker are collected during a round and sent in one batch. A server has one thread for each
//! worker and one that accepts connections. Monitoring, a leaf node connection, and hashed
//! passwords each add a thread.
//!
//! # Features
//!
//! - `tls`: TLS for clients and to hubs, NKeys, and WebSocket. Without it, a [`Config`] that uses
//!   them is rejected. Its cryptography is partly C and assembly, and needs a C compiler.
//!
//! [NATS client protocol]: https://docs.nats.io/reference/reference-protocols/nats-protocol

#![forbid(unsafe_code)]

// The tests run with the program's memory routines.
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
use worker::{MAIL, Worker};

/// Runs a server without threads with the input, and checks its clients' output. Only cargo-fuzz
/// builds it.
///
/// # Panics
///
/// If a client's output is wrong.
#[cfg(fuzzing)]
pub fn fuzz_delivery(input: &[u8]) {
    fuzz::check(input);
}

/// Passes the input to a WebSocket connection without a socket, and checks its output. Only
/// cargo-fuzz builds it.
///
/// # Panics
///
/// If the output is wrong.
#[cfg(all(fuzzing, feature = "tls"))]
pub fn fuzz_websocket(input: &[u8]) {
    websocket::fuzz(input);
}

/// Stack size of a thread in bytes. The code does not recurse deeply; builds without optimisation
/// need most of it.
const STACK: usize = 512 * 1024;

/// Why a server cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address with {flag}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
        /// The flag that sets the address.
        flag: &'static str,
    },
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ReloadError),
    /// The files for TLS to a hub are unusable.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// This build does not support TLS.
    #[error(
        "this build does not support TLS; remove the --tls options or build with the feature `tls`"
    )]
    NoTls,
    /// This build does not support WebSocket.
    #[error(
        "this build does not support WebSocket; remove the --websocket options or build with the feature `tls`"
    )]
    NoWebSocket,
    /// Another error of the system.
    #[error("cannot {what}: {source}")]
    System {
        /// What the server tried.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A thread has panicked; standard error has its message.
    #[error(
        "the server thread \"{0}\" panicked, and the others were drained; this is a bug, please report it"
    )]
    Panicked(&'static str),
    /// Some output was not written before the end.
    #[error("clients did not read all pending messages within --drain-timeout; the rest is lost")]
    Undrained,
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> ServerError {
    move |source| ServerError::System { what, source }
}

/// Most worker threads of a server that [`Server::start`] starts.
const MOST_STARTED: usize = 2;

/// A server that is ready to run. Clients can already connect, and wait.
#[derive(Debug)]
pub struct Server {
    acceptor: Acceptor,
    monitor: Option<Monitor>,
    workers: Vec<(Worker, Poll)>,
    /// Passwords to be checked.
    given: mpsc::Receiver<Given>,
    shared: Arc<Shared>,
}

impl Server {
    /// Opens the server's ports and files. It starts no thread.
    ///
    /// # Errors
    ///
    /// The first error.
    pub fn bind(config: Config) -> Result<Self, ServerError> {
        #[cfg(not(feature = "tls"))]
        if config.tls.is_some() {
            return Err(ServerError::NoTls);
        }
        #[cfg(not(feature = "tls"))]
        if config.websocket.is_some() {
            return Err(ServerError::NoWebSocket);
        }
        let config = config.bounded();
        // Before the ports are opened, because the settings may be invalid.
        let mut settings = Settings::new(&config, &info(&config, config.listen))?;
        #[cfg_attr(not(feature = "tls"), allow(unused_mut))]
        let mut acceptor = Acceptor::bind(config.listen)?;
        #[cfg(feature = "tls")]
        let websocket = match &config.websocket {
            None => None,
            Some(websocket) => Some(acceptor.bind_websocket(websocket.listen)?),
        };
        let address = acceptor.address;
        let monitor = config.http.map(Monitor::bind).transpose()?;
        tracing::info!("Listening for client connections on {address}");
        if let Some(monitor) = &monitor {
            tracing::info!("Starting http monitor on {}", monitor.address);
        }
        #[cfg(feature = "tls")]
        if let (Some(terms), Some(address)) = (&settings.websocket, websocket) {
            terms.log(address);
        }
        if !address.ip().is_loopback() && !config.credentials.are_wanted() {
            tracing::warn!(
                "no credentials are configured: any client that can reach {address} may publish and subscribe"
            );
        }

        let mut polls = Vec::new();
        let mut peers = Vec::new();
        for _ in 0..config.workers.max(1) {
            let poll = Poll::new().map_err(system("set up event polling"))?;
            let waker =
                Waker::new(poll.registry(), MAIL).map_err(system("set up event polling"))?;
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
            let registry = registry.map_err(system("set up event polling"))?;
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

    /// Starts a server for tests: on a free port of the loopback interface, with one or two workers
    /// and otherwise the [defaults](Config::default).
    ///
    /// # Errors
    ///
    /// The first error.
    pub fn start() -> Result<Running, ServerError> {
        let config = Config::default();
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            workers: config.workers.min(MOST_STARTED),
            ..config
        };
        Self::bind(config)?.spawn()
    }

    /// Returns a handle, which controls the server from any thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let monitor = self.monitor.as_ref().map(|monitor| monitor.address);
        self.acceptor.handle(monitor, &self.shared)
    }

    /// Serves clients in a new thread until the server is asked to end by a [`Handle`], or until
    /// the returned value is dropped.
    ///
    /// # Errors
    ///
    /// The system cannot start a thread.
    pub fn spawn(self) -> Result<Running, ServerError> {
        let handle = self.handle();
        let thread = spawn("server", move || {
            let (ended, rest) = self.serve();
            for thread in rest {
                // A panic was reported when it happened.
                let _ = thread.join();
            }
            ended
        })?;
        Ok(Running::new(handle, thread))
    }

    /// Serves clients until the server is asked to end by a [`Handle`].
    ///
    /// A panic in a worker also ends the server: the clients of that worker lose their connections,
    /// and those of the other workers get their pending output.
    ///
    /// The threads that connect to a hub and check passwords may still be busy when this function
    /// returns. They end after their current task.
    ///
    /// # Errors
    ///
    /// The server cannot continue, or has lost output at its end.
    pub fn run(self) -> Result<(), ServerError> {
        self.serve().0
    }

    /// Serves clients to the end. Returns the result, and the threads that were told to end but may
    /// still be busy.
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
            // Ends when it is dropped.
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

/// Returns the server's fields of INFO.
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
        headers: config.headers,
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

/// Returns an id in the form of nats-server's public key.
fn server_id() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = std::iter::repeat_with(|| char::from(LETTERS[fastrand::usize(..LETTERS.len())]));
    std::iter::once('N').chain(letters.take(55)).collect()
}

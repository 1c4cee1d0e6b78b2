//! Takes connections in and hands them to workers, until a signal comes.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::mailbox::Mail;
use super::shared::Shared;
use super::signals::Signals;
use super::{ServerError, system};
use crate::protocol::ProtocolError;

const LISTENER: Token = Token(0);
const SIGNAL: Token = Token(1);

/// How long nothing is accepted after the system had no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// How often that is logged at most.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The port, open, and the signals that end the server.
#[derive(Debug)]
pub(crate) struct Acceptor {
    poll: Poll,
    listener: TcpListener,
    signals: Signals,
    /// The address really bound.
    pub(crate) address: SocketAddr,
    /// The number of the last connection.
    last: u64,
    next_log: Option<Instant>,
}

impl Acceptor {
    pub(crate) fn bind(address: SocketAddr, mut signals: Signals) -> Result<Self, ServerError> {
        let listen = |source| ServerError::Listen {
            address,
            source,
            flag: "--listen",
        };
        let mut listener = TcpListener::bind(address).map_err(listen)?;
        let poll = Poll::new().map_err(system("ask for events"))?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .and_then(|()| signals.watch(poll.registry(), SIGNAL))
            .map_err(system("ask for events"))?;
        Ok(Self {
            address: listener.local_addr().map_err(listen)?,
            poll,
            listener,
            signals,
            last: 0,
            next_log: None,
        })
    }

    /// Accepts until the first signal and has the workers end then. A second
    /// signal ends the program at once.
    pub(crate) fn run(mut self, shared: &Shared) -> Result<(), ServerError> {
        let mut events = Events::with_capacity(8);
        let mut signals = 0;
        let mut timeout = None;
        while signals == 0 {
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(system("wait for connections")(error));
                }
                _ => {}
            }
            timeout = self.accept_all(shared);
            signals += self.signals.take();
        }
        tracing::info!("draining {} connections", shared.connections());
        let Self {
            poll,
            listener,
            signals: source,
            ..
        } = self;
        drop(listener);
        for peer in &shared.workers {
            peer.mailbox.send(Mail::Drain);
        }
        if signals > 1 {
            std::process::exit(1);
        }
        leave_at_second(poll, source)
    }

    /// Accepts what is there. Returns how long to wait if there is no room.
    fn accept_all(&mut self, shared: &Shared) -> Option<Duration> {
        loop {
            match self.listener.accept() {
                Ok((socket, address)) => self.assign(shared, socket, address),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) if is_about_one(&error) => {}
                Err(error) => {
                    let now = Instant::now();
                    if self.next_log.is_none_or(|next| now >= next) {
                        self.next_log = Some(now + LOG_INTERVAL);
                        tracing::error!(
                            "cannot accept connections for now: {error}; raise the limit on open files if this goes on"
                        );
                    }
                    return Some(PAUSE);
                }
            }
        }
    }

    fn assign(&mut self, shared: &Shared, mut socket: TcpStream, address: SocketAddr) {
        self.last += 1;
        if shared.connections() >= shared.config.max_connections {
            refuse(shared, &mut socket, self.last);
            return;
        }
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!("a client at {address} is gone: {error}");
            return;
        }
        let load = |peer: &&crossbeam::utils::CachePadded<super::shared::Peer>| {
            peer.connections.load(Ordering::Relaxed)
        };
        if let Some(peer) = shared.workers.iter().min_by_key(load) {
            peer.connections.fetch_add(1, Ordering::Relaxed);
            peer.mailbox
                .send(Mail::Connection(socket, address, self.last));
        }
    }
}

/// Whether the error is that of one connection, which its client gave up.
fn is_about_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// Says INFO and why there is no more room.
fn refuse(shared: &Shared, socket: &mut TcpStream, id: u64) {
    tracing::warn!("{}", ProtocolError::Connections);
    let mut info = shared.info.clone();
    info.client_id = id;
    let mut text = info.line();
    let line = ProtocolError::Connections.line().unwrap_or_default();
    text.extend_from_slice(line.as_bytes());
    // It fits into the buffer of a new socket, or the client is gone.
    let _ = socket.write(&text);
}

/// Leaves a thread behind that ends the program when the next signal comes.
fn leave_at_second(mut poll: Poll, mut signals: Signals) -> Result<(), ServerError> {
    super::spawn("signals", move || {
        let mut events = Events::with_capacity(1);
        while signals.take() == 0 {
            if poll.poll(&mut events, None).is_err() {
                // It was interrupted by the signal; look at it.
                std::thread::yield_now();
            }
        }
        tracing::warn!("ended at once by a second signal");
        std::process::exit(1);
    })
    .map(drop)
}

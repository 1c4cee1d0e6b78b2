//! Accepts connections and hands them to workers until the server ends.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::closed::Closed;
use super::ending::Ending;
use super::handle::{Handle, Wish, Wishes};
use super::listen::{canonical, listen};
use super::log_limit::{LogLimit, Verdict};
use super::mailbox::Accepted;
use super::shared::Shared;
use super::upkeep::Upkeep;
use super::{ServerError, system};
use broker_protocol::ProtocolError;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
#[cfg(feature = "tls")]
const WEBSOCKET: Token = Token(2);

/// Pause after the system had no resources for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections accepted in a row before checking whether the server should end.
const MOST_ACCEPTED: usize = 256;

/// Refused connections that are logged per second.
const MOST_REFUSALS_LOGGED: u32 = 5;

/// The open ports, and the requests to the server.
#[derive(Debug)]
pub(crate) struct Acceptor {
    poll: Poll,
    waker: Arc<Waker>,
    listener: TcpListener,
    /// The WebSocket port.
    websocket: Option<TcpListener>,
    wishes: Arc<Wishes>,
    /// The actual address, with the port that the system chose.
    pub(crate) address: SocketAddr,
    /// The number of the last connection.
    last: u64,
    /// Limits log lines about refused connections.
    refusals: LogLimit,
    /// Limits log lines about failures to accept.
    failures: LogLimit,
}

impl Acceptor {
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        let error = |source| ServerError::Listen {
            address,
            source,
            flag: "--listen",
        };
        let (mut listener, address) = listen(address).map_err(error)?;
        let poll = Poll::new().map_err(system("set up event polling"))?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(system("set up event polling"))?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .map_err(system("set up event polling"))?;
        Ok(Self {
            address,
            poll,
            waker: Arc::new(waker),
            listener,
            websocket: None,
            wishes: Arc::default(),
            last: 0,
            refusals: LogLimit::new(MOST_REFUSALS_LOGGED),
            failures: LogLimit::new(1),
        })
    }

    /// Opens the WebSocket port. Returns the actual address.
    #[cfg(feature = "tls")]
    pub(crate) fn bind_websocket(
        &mut self,
        address: SocketAddr,
    ) -> Result<SocketAddr, ServerError> {
        let error = |source| ServerError::Listen {
            address,
            source,
            flag: "--websocket",
        };
        let (mut listener, bound) = listen(address).map_err(error)?;
        self.poll
            .registry()
            .register(&mut listener, WEBSOCKET, Interest::READABLE)
            .map_err(system("set up event polling"))?;
        self.websocket = Some(listener);
        Ok(bound)
    }

    /// Returns a handle to the server. `monitor` is the address of monitoring, if it is on.
    pub(crate) fn handle(&self, monitor: Option<SocketAddr>, shared: &Arc<Shared>) -> Handle {
        let wishes = Arc::clone(&self.wishes);
        Handle::new(self.address, monitor, wishes, &self.waker, shared)
    }

    /// Returns the waker that makes [`run`](Self::run) check the workers.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Accepts connections until the server is asked to end or a worker has failed, then closes the
    /// port.
    pub(crate) fn run(mut self, shared: &Shared) -> Result<Ending, ServerError> {
        let mut events = Events::with_capacity(8);
        let mut upkeep = Upkeep::new();
        while self.wishes.greatest() == Wish::Serve && !shared.has_failed() {
            let again = self.accept_all(shared);
            let timeout = again.into_iter().chain(upkeep.look_after(shared)).min();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
                polled => polled.map_err(system("wait for connections"))?,
            }
        }
        Ok(Ending {
            poll: self.poll,
            _waker: self.waker,
            wishes: self.wishes,
        })
    }

    /// Accepts pending connections, up to a limit. Returns the time until the next call, if no
    /// event announces it.
    fn accept_all(&mut self, shared: &Shared) -> Option<Duration> {
        let wait = self.accept_from(shared, false);
        if self.websocket.is_none() {
            return wait;
        }
        let by_websocket = self.accept_from(shared, true);
        [wait, by_websocket].into_iter().flatten().min()
    }

    /// Same as `accept_all`, for one port.
    fn accept_from(&mut self, shared: &Shared, websocket: bool) -> Option<Duration> {
        for _ in 0..MOST_ACCEPTED {
            let listener = match &self.websocket {
                Some(listener) if websocket => listener,
                _ => &self.listener,
            };
            match listener.accept() {
                Ok((socket, address)) => {
                    self.assign(shared, socket, canonical(address), websocket);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.log_omitted();
                }
                Err(error) if is_about_one(&error) => {}
                Err(error) => {
                    // One line per interval says everything, so the number of failures is not
                    // counted.
                    if self.failures.judge(Instant::now()) == Verdict::Log {
                        tracing::error!(
                            "cannot accept connections: {error}; raise the limit on open files if this continues"
                        );
                    }
                    self.log_omitted();
                    return Some(PAUSE);
                }
            }
        }
        Some(Duration::ZERO)
    }

    fn assign(
        &mut self,
        shared: &Shared,
        mut socket: TcpStream,
        address: SocketAddr,
        websocket: bool,
    ) {
        self.last += 1;
        if shared.connections() >= shared.settings().max_connections {
            self.log_omitted();
            if self.refusals.judge(Instant::now()) == Verdict::Log {
                tracing::warn!("client at {address}: {}", ProtocolError::Connections);
            }
            refuse(shared, &mut socket, self.last, websocket);
            shared
                .closed
                .add(|| Closed::refused(self.last, address, websocket));
            return;
        }
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!("client at {address} disconnected: {error}");
            return;
        }
        let load = |peer: &&crossbeam::utils::CachePadded<super::shared::Peer>| {
            peer.connections.load(Ordering::Relaxed)
        };
        if let Some(peer) = shared.workers.iter().min_by_key(load) {
            peer.connections.fetch_add(1, Ordering::Relaxed);
            peer.mailbox.send_connection(Accepted {
                socket,
                address,
                id: self.last,
                websocket,
            });
        }
    }

    /// Logs the number of refused connections that were not logged, when the interval is over.
    /// Returns the time until then.
    fn log_omitted(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if let Some(count) = self.refusals.omitted(now) {
            tracing::warn!("{count} more connections were refused");
        }
        let due = self.refusals.due();
        due.map(|due| due.saturating_duration_since(now))
    }
}

/// Returns whether the error concerns a single connection that its client has aborted.
fn is_about_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// Sends INFO and the reason for refusing the connection.
fn refuse(shared: &Shared, socket: &mut TcpStream, id: u64, websocket: bool) {
    if websocket {
        // WebSocket clients get no INFO before a handshake, and the acceptor does not wait for one.
        return;
    }
    let mut info = shared.settings().info.clone();
    info.client_id = id;
    let mut text = info.line();
    let line = ProtocolError::Connections.line().unwrap_or_default();
    text.extend_from_slice(line.as_bytes());
    // The text fits into a new socket's buffer unless the client has disconnected.
    let _ = socket.write(&text);
}

#[cfg(test)]
mod tests {
    use super::super::Server;
    use super::super::rig::config;
    use super::*;

    #[test]
    fn the_acceptor_ends_on_request_or_after_a_worker_failed() {
        let server = Server::bind(config()).expect("any free port");
        server.handle().drain();
        let ending = server.acceptor.run(&server.shared);
        let ending = ending.expect("it waits for events");
        assert_eq!(ending.wishes.greatest(), Wish::Drain);

        let server = Server::bind(config()).expect("any free port");
        server.shared.workers[0].bury();
        let ending = server.acceptor.run(&server.shared);
        let ending = ending.expect("it waits for events");
        assert_eq!(ending.wishes.greatest(), Wish::Serve);
    }
}

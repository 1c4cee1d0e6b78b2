//! A server without threads: each step of each worker is one call, so the caller decides the order
//! of events.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam::utils::CachePadded;

use super::chunks::Chunks;
use super::config::{Allocator, Config, Credentials, TlsStart};
use super::connection::{Connection, Writing};
use super::execute::{Carried, Executor};
use super::key::ConnectionKey;
use super::local::{Local, Reason};
use super::mailbox::{Mail, Mailbox};
use super::settings::Settings;
use super::shared::{Peer, Shared};
use super::transport::Transport;
use broker_protocol::{Limits, ProtocolError};

pub(super) const WORKERS: usize = 3;

const HOUR: Duration = Duration::from_hours(1);

/// Bytes that fit into the buffer of any empty socket.
const ROOM: usize = 64 * 1024;

/// Workers, their connections, and the clients' ends of these.
pub(super) struct Rig {
    shared: Arc<Shared>,
    executors: Vec<Executor>,
    chunks: Vec<Chunks>,
    last: u64,
    /// The clients' ends, until the server closes the connections, and the bytes that were read.
    clients: BTreeMap<ConnectionKey, (Option<TcpStream>, Vec<u8>)>,
    _polls: Vec<mio::Poll>,
}

/// The result of one turn of a connection.
#[derive(Debug)]
pub(super) struct Turn {
    /// Bytes of the executed frames.
    pub(super) used: usize,
    pub(super) then: Then,
}

/// What follows a turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing, until the client sends more.
    Idle,
    /// The turn was too short for some frames.
    Rest,
    /// The client has closed its side.
    Left,
    /// The server has closed the connection.
    Failed(ProtocolError),
}

impl Rig {
    pub(super) fn new() -> Self {
        let polls: Vec<_> = (0..WORKERS)
            .map(|_| mio::Poll::new().expect("the system has events"))
            .collect();
        let peer = |poll: &mio::Poll| {
            let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("one a poll");
            CachePadded::new(Peer::new(Mailbox::new(waker)))
        };
        let config = config();
        let info = super::info(&config, config.listen);
        let settings = Settings::new(&config, &info).expect("it makes sense");
        let shared = Arc::new(Shared::new(
            config,
            settings,
            #[cfg(feature = "tls")]
            None,
            std::sync::mpsc::channel().0,
            polls.iter().map(peer).collect(),
        ));
        for index in 0..WORKERS {
            let routes = Arc::clone(&shared.routes);
            let connections = Arc::clone(&shared.workers[index].connections);
            let closed = Arc::clone(&shared.closed);
            let local = Local::new(index, &shared.config, routes, connections, closed);
            shared.place(index, local);
        }
        let lent = |index: usize| Arc::clone(&shared.workers[index].lent);
        Self {
            executors: (0..WORKERS)
                .map(|index| Executor::new(index, Arc::clone(&shared)))
                .collect(),
            chunks: (0..WORKERS).map(|index| Chunks::new(lent(index))).collect(),
            shared,
            last: 0,
            clients: BTreeMap::new(),
            _polls: polls,
        }
    }

    /// Returns the state that workers share.
    #[cfg(test)]
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Gives a worker the connection of a new client.
    pub(super) fn connect(&mut self, worker: usize) -> ConnectionKey {
        let (client, server) = pair().expect("the system has sockets");
        for end in [&client, &server] {
            end.set_nonblocking(true).expect("it is a socket");
        }
        self.last += 1;
        let id = self.last;
        let transport = Transport::new(mio::net::TcpStream::from_std(server));
        let peer = &self.shared.workers[worker];
        peer.connections.fetch_add(1, Ordering::Relaxed);
        let mut place = peer.local();
        let local = place.as_mut().expect("it was put there");
        let (now, address) = (local.now, self.shared.config.listen);
        let key = local.insert(id, |key| {
            Connection::new(transport, address, key, id, now, HOUR)
        });
        drop(place);
        self.clients.insert(key, (Some(client), Vec::new()));
        key
    }

    /// The client sends bytes, which stay in the socket until the worker's turn.
    pub(super) fn write(&mut self, key: ConnectionKey, bytes: &[u8]) {
        let sent = self.client(key).write_all(bytes);
        sent.expect("the socket has room");
    }

    /// The client closes its side, which the worker notices in one of its turns.
    pub(super) fn shut(&mut self, key: ConnectionKey) {
        let shut = self.client(key).shutdown(Shutdown::Write);
        shut.expect("it is connected");
    }

    fn client(&mut self, key: ConnectionKey) -> &mut TcpStream {
        let client = self.clients.get_mut(&key);
        let socket = client.and_then(|(socket, _)| socket.as_mut());
        socket.expect("it is connected")
    }

    /// Gives a connection a turn, as a worker does: executes the rest of the previous turn, or the
    /// result of one read. Messages for other workers are sent to them, and delivered at once only
    /// to a worker that is neither busy nor has mail.
    pub(super) fn turn(&mut self, key: ConnectionKey, most: u64) -> Turn {
        let worker = key.worker();
        let shared = Arc::clone(&self.shared);
        let mut place = shared.workers[worker].local();
        let local = place.as_mut().expect("it was put there");
        let executor = &mut self.executors[worker];
        let chunks = &mut self.chunks[worker];
        let ended = |then| Turn { used: 0, then };
        let rest = local.change(key, |client| client.input.take_rest());
        let rest = rest.unwrap_or_else(|| {
            let closed = shared.closed.all();
            let states = closed.iter().map(|one| (one.row.figures.cid, one.state));
            let states: Vec<_> = states.collect();
            panic!("a connection that has ended gets no turn: {key:?} of {states:?}")
        });
        let data = if let Some(rest) = rest {
            rest
        } else {
            let read = local.change(key, |client| {
                client.input.read(&mut client.transport, chunks)
            });
            match read.expect("it is there") {
                Ok(read) => read.data,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return ended(Then::Idle),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    local.leave(key, Reason::Gone);
                    return ended(Then::Left);
                }
                Err(error) => panic!("{error}"),
            }
        };
        let (used, _, carried) = executor.carry_out(local, key, &data, most);
        let then = match carried {
            Carried::Interrupted => {
                let rest = data.slice(used..);
                local.change(key, |client| client.input.keep_rest(rest));
                Then::Rest
            }
            Carried::All { needed } => {
                if used < data.len() {
                    let start = &data[used..];
                    local.change(key, |client| client.input.keep_start(start, needed));
                }
                Then::Idle
            }
            Carried::Failed(error) => {
                executor.dispatch.settle(local, &mut executor.cache);
                // The server writes once to a connection that it closes. The client first reads
                // enough to make room for all pending output.
                if let Some((Some(client), read)) = self.clients.get_mut(&key) {
                    read_all(client, read);
                    while local
                        .get(key)
                        .is_some_and(|client| client.output.pending() > ROOM)
                    {
                        local.unblock(key.slot());
                        local.flush_all();
                        read_all(client, read);
                    }
                }
                local.close(key, Reason::Error(error));
                Then::Failed(error)
            }
            Carried::Verifying => panic!("no password is asked for"),
        };
        executor.dispatch.settle(local, &mut executor.cache);
        local.flush_all();
        Turn { used, then }
    }

    /// The connection is lost, with everything that the client has not read.
    pub(super) fn lose(&mut self, key: ConnectionKey) {
        let mut place = self.shared.workers[key.worker()].local();
        let local = place.as_mut().expect("it was put there");
        local.close(key, Reason::Gone);
    }

    /// Makes a worker process one mail, if there is one.
    pub(super) fn take_mail(&mut self, worker: usize) -> bool {
        let shared = Arc::clone(&self.shared);
        let peer = &shared.workers[worker];
        let mut place = peer.local();
        let local = place.as_mut().expect("it was put there");
        let Executor {
            dispatch, cache, ..
        } = &mut self.executors[worker];
        match peer.mailbox.take() {
            None => return false,
            Some(Mail::Messages(batch, from)) => {
                dispatch.arrive(local, &batch);
                dispatch.settle(local, cache);
                shared.workers[from].give_back(batch);
            }
            Some(Mail::NoResponders(key, reply)) => {
                dispatch.nobody_answers(local, cache, key, &reply);
            }
            Some(other) => panic!("{other:?}"),
        }
        peer.mailbox.settle();
        local.flush_all();
        true
    }

    /// Returns whether a worker has mail.
    pub(super) fn has_mail(&self, worker: usize) -> bool {
        !self.shared.workers[worker].mailbox.is_empty()
    }

    /// Makes a worker remove some of the closed connections' subscriptions. Returns whether some
    /// are left.
    pub(super) fn clear_remains(&mut self, worker: usize, most: usize) -> bool {
        let mut place = self.shared.workers[worker].local();
        let local = place.as_mut().expect("it was put there");
        !local.clear_remains(most)
    }

    /// Makes a worker process one mail and remove one subscription of a closed connection. Returns
    /// whether there may be more to do.
    pub(super) fn step(&mut self, worker: usize) -> bool {
        let more = self.clear_remains(worker, 1);
        self.take_mail(worker) || more
    }

    /// Runs `with` while other workers are busy, so messages are not delivered on their behalf.
    pub(super) fn while_busy<T>(&mut self, busy: &[usize], with: impl FnOnce(&mut Self) -> T) -> T {
        let shared = Arc::clone(&self.shared);
        let held: Vec<_> = busy
            .iter()
            .map(|&worker| shared.workers[worker].local())
            .collect();
        let result = with(self);
        drop(held);
        result
    }

    /// Makes all workers finish their work.
    pub(super) fn settle(&mut self) {
        while (0..WORKERS).any(|worker| self.step(worker)) {}
        for peer in &self.shared.workers {
            assert_eq!(peer.mailbox.sent(), peer.mailbox.settled());
        }
    }

    /// Makes the clients read all output, including output that had no room before.
    pub(super) fn collect(&mut self) {
        loop {
            for (client, read) in self.clients.values_mut() {
                if let Some(socket) = client
                    && read_all(socket, read)
                {
                    *client = None;
                }
            }
            let mut more = false;
            for peer in &self.shared.workers {
                let mut place = peer.local();
                let local = place.as_mut().expect("it was put there");
                let clients = local.clients.iter();
                let blocked: Vec<_> = clients
                    .filter(|(_, client)| client.writing == Writing::Blocked)
                    .map(|(slot, _)| slot)
                    .collect();
                for slot in blocked {
                    local.unblock(slot);
                }
                more |= local.has_more_to_write();
                local.flush_all();
            }
            if !more {
                return;
            }
        }
    }

    /// Returns the bytes that each client has read.
    pub(super) fn outputs(&self) -> impl Iterator<Item = (ConnectionKey, &[u8])> {
        let all = self.clients.iter();
        all.map(|(&key, (_, read))| (key, read.as_slice()))
    }

    /// Checks that nothing is left of the clients, all of which have left. Returns the numbers of
    /// messages that were published and delivered.
    pub(super) fn end(&self) -> (u64, u64) {
        for peer in &self.shared.workers {
            let place = peer.local();
            let local = place.as_ref().expect("it was put there");
            assert!(local.clients.is_empty());
            assert_eq!(local.held(), 0, "bytes held for nobody");
            peer.publish(local);
        }
        let counters = self.shared.counters();
        assert_eq!(counters.subscriptions, 0, "subscriptions of nobody");
        assert_eq!(self.shared.connections(), 0, "connections of nobody");
        assert_eq!(self.shared.held(), 0, "bytes lent to nobody");
        assert!(self.shared.routes.is_empty(), "{:?}", self.shared.routes);
        (counters.in_msgs, counters.out_msgs)
    }
}

/// Reads everything available. Returns whether the connection is closed.
fn read_all(client: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 16 * 1024];
    loop {
        match client.read(&mut chunk) {
            Ok(0) => return true,
            Ok(count) => {
                into.extend_from_slice(&chunk[..count]);
                if count < chunk.len() {
                    return false;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            // The server has closed a connection without reading all of its input. Its output was
            // read before.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return true,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Returns the two ends of a connection. Unix sockets are created quickly, and do not use up ports.
#[cfg(unix)]
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    use std::os::{fd::OwnedFd, unix::net::UnixStream};
    let (client, server) = UnixStream::pair()?;
    Ok((OwnedFd::from(client).into(), OwnedFd::from(server).into()))
}

/// Returns the two ends of a connection.
#[cfg(not(unix))]
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

/// Returns a worker's connections, `count` of them, and the clients' ends.
#[cfg(test)]
pub(super) fn local_with(count: u64) -> (Local, Vec<TcpStream>) {
    let config = config();
    let closed = Arc::new(super::closed::ClosedConnections::new(true));
    let connections = Arc::new(usize::try_from(count).unwrap_or_default().into());
    let routes = Arc::new(super::routes::Routes::new());
    let mut local = Local::new(0, &config, routes, connections, closed);
    let mut clients = Vec::new();
    for id in 1..=count {
        let (client, server) = pair().expect("the system has sockets");
        server.set_nonblocking(true).expect("it is a socket");
        clients.push(client);
        let transport = Transport::new(mio::net::TcpStream::from_std(server));
        let now = local.now;
        local.insert(id, |key| {
            Connection::new(transport, config.listen, key, id, now, HOUR)
        });
    }
    (local, clients)
}

pub(super) fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        // Closed connections are remembered with their states.
        http: Some("127.0.0.1:0".parse().expect("an address")),
        http_base_path: String::new(),
        workers: WORKERS,
        name: None,
        credentials: Credentials::None,
        tls: None,
        limits: Limits {
            max_control_line: 4096,
            max_payload: 1 << 20,
        },
        max_connections: 1000,
        max_subscriptions: 0,
        max_subscription_tokens: 0,
        headers: true,
        max_pending: 64 << 20,
        max_memory: 1 << 30,
        ping_interval: HOUR,
        max_pings_out: 2,
        tls_timeout: HOUR,
        auth_timeout: HOUR,
        write_deadline: HOUR,
        drain_timeout: HOUR,
        tls_start: TlsStart::default(),
        websocket: None,
        lame_duck_duration: HOUR,
        lame_duck_grace_period: HOUR,
        allocator: Allocator::default(),
        leaf: None,
    }
}

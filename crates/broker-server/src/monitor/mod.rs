//! Health and statistics over HTTP: `/healthz`, `/varz`, `/connz`, `/subsz`, `/leafz` and
//! `/metrics`.
//!
//! One thread with an event loop serves a bounded number of connections. Each has one request and a
//! short time for it, so idle connections do not block others.

/// A JSON object, like `serde_json::json!`, which generates more code for large objects.
macro_rules! object {
    ($($key:literal: $value:expr),* $(,)?) => {
        $crate::monitor::object(&mut [$(($key, serde_json::Value::from($value))),*])
    };
}

mod asking;
mod connection;
mod connz;
mod http;
mod leafz;
mod metrics;
mod pages;
mod process;
mod query;
mod state;
mod subsz;
mod time;
mod varz;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use serde_json::{Map, Value};
use slab::Slab;

use super::listen::listen;
use super::shared::Shared;
use super::{ServerError, spawn, system};
use asking::MAX_UNREAD;
use connection::{Connection, Progress};
use state::State;

/// Takes the values. A single function for objects of every size.
fn object(fields: &mut [(&str, Value)]) -> Value {
    let mut object = Map::new();
    for (key, value) in fields {
        object.insert((*key).to_owned(), value.take());
    }
    Value::Object(object)
}

/// The tokens of connections are their slots.
const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);

/// Most connections at a time. A further one replaces the oldest.
const MOST_CONNECTIONS: usize = 256;

/// Connections accepted in a row before existing ones are served: few enough that no connection is
/// replaced before its request was read.
const MOST_ACCEPTED: usize = 64;

/// Time limit for a client's request and its response.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pause after the system had no resources for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The open monitoring port.
#[derive(Debug)]
pub(crate) struct Monitor {
    poll: Poll,
    waker: Waker,
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    state: State,
}

impl Monitor {
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        let error = |source| ServerError::Listen {
            address,
            source,
            flag: "--http",
        };
        let (mut listener, address) = listen(address).map_err(error)?;
        let poll = Poll::new().map_err(system("set up event polling"))?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(system("set up event polling"))?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .map_err(system("set up event polling"))?;
        Ok(Self {
            poll,
            waker,
            listener,
            address,
            state: State::new(address),
        })
    }

    /// Serves in a new thread until the returned value is dropped.
    pub(crate) fn start(self, shared: Arc<Shared>) -> Result<Running, ServerError> {
        let Self {
            poll,
            waker,
            listener,
            state,
            ..
        } = self;
        let event_loop = EventLoop {
            poll,
            listener,
            connections: Slab::new(),
            state,
            shared,
        };
        let thread = spawn("monitor", move || {
            if let Err(error) = event_loop.run() {
                tracing::error!("monitoring has stopped: {error}");
            }
        })?;
        Ok(Running {
            waker,
            thread: Some(thread),
        })
    }
}

/// Monitoring while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Ok(()), Some(thread)) = (self.waker.wake(), self.thread.take()) {
            // A panic was reported when it happened.
            let _ = thread.join();
        }
    }
}

struct EventLoop {
    poll: Poll,
    listener: TcpListener,
    connections: Slab<Connection>,
    state: State,
    shared: Arc<Shared>,
}

/// When to accept again.
enum Accept {
    /// When an event reports a connection.
    AtEvent,
    /// At once: there may be more.
    Now,
    /// Later: the system had no resources.
    At(Instant),
}

impl EventLoop {
    /// Serves until it is woken.
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(MOST_CONNECTIONS);
        let mut accept = Accept::AtEvent;
        loop {
            let timeout = self.timeout(&accept, Instant::now());
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
                polled => polled?,
            }
            for event in &events {
                match event.token() {
                    WAKER => return Ok(()),
                    LISTENER if matches!(accept, Accept::AtEvent) => accept = Accept::Now,
                    // Connections wait until the pause is over.
                    LISTENER => {}
                    Token(slot) => self.serve(slot),
                }
            }
            let now = Instant::now();
            self.connections.retain(|_, served| now < served.deadline);
            accept = match accept {
                Accept::Now => self.accept(now),
                Accept::At(time) if time <= now => self.accept(now),
                later => later,
            };
        }
    }

    fn timeout(&self, accept: &Accept, now: Instant) -> Option<Duration> {
        let accept = match *accept {
            Accept::AtEvent => None,
            Accept::Now => Some(now),
            Accept::At(time) => Some(time),
        };
        let deadlines = self.connections.iter().map(|(_, served)| served.deadline);
        let next = deadlines.chain(accept).min()?;
        Some(next.saturating_duration_since(now))
    }

    /// Accepts connections, and serves those whose request has already arrived.
    fn accept(&mut self, now: Instant) -> Accept {
        for _ in 0..MOST_ACCEPTED {
            match self.listener.accept() {
                Ok((socket, _)) => self.add(socket, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Accept::AtEvent,
                Err(error) => {
                    tracing::debug!("monitoring: {error}");
                    return Accept::At(now + PAUSE);
                }
            }
        }
        Accept::Now
    }

    fn add(&mut self, mut socket: TcpStream, now: Instant) {
        if self.connections.len() == MOST_CONNECTIONS {
            let oldest = self.connections.iter().min_by_key(|(_, it)| it.deadline);
            if let Some((oldest, _)) = oldest {
                self.connections.remove(oldest);
            }
        }
        let entry = self.connections.vacant_entry();
        let slot = entry.key();
        let interests = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if let Err(error) = registry.register(&mut socket, Token(slot), interests) {
            tracing::debug!("monitoring: {error}");
            return;
        }
        entry.insert(Connection::new(socket, now + PATIENCE));
        self.serve(slot);
    }

    /// Continues with a connection as far as possible now.
    fn serve(&mut self, slot: usize) {
        let unsent: usize = self.connections.iter().map(|(_, it)| it.unsent()).sum();
        let room = MAX_UNREAD.saturating_sub(unsent);
        let Some(connection) = self.connections.get_mut(slot) else {
            // The connection has been replaced.
            return;
        };
        let (state, shared) = (&mut self.state, &self.shared);
        let answer = |method, path: &str| pages::answer(state, method, path, shared, room);
        match connection.go_on(answer) {
            Ok(Progress::Blocked) => {}
            Ok(Progress::Done) => {
                self.connections.remove(slot);
            }
            Err(error) => {
                tracing::debug!("monitoring: {error}");
                self.connections.remove(slot);
            }
        }
    }
}

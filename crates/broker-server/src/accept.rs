//! Takes connections in and hands them to workers, until the server ends.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::listen::{canonical, listen};
use super::log_limit::{LogLimit, Verdict};
use super::mailbox::Mail;
use super::shared::Shared;
use super::signals::{Signal, Signals};
use super::{ServerError, system};
use broker_protocol::ProtocolError;

const LISTENER: Token = Token(0);
const SIGNAL: Token = Token(1);
const WAKER: Token = Token(2);

/// How long nothing is accepted after the system had no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the allocator is looked after.
const UPKEEP: Duration = Duration::from_secs(1);

/// Connections accepted in a row before signals are looked at.
const MOST_ACCEPTED: usize = 256;

/// Refused connections that are logged in a second.
const MOST_REFUSALS_LOGGED: u32 = 5;

/// Time for the log to be written before the program ends in the midst of things.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Why nothing is accepted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A signal asked for it.
    Signal,
    /// [`Acceptor::waker`] was woken.
    Woken,
}

/// The port, open, and the signals that end the server.
#[derive(Debug)]
pub(crate) struct Acceptor {
    poll: Poll,
    waker: Arc<Waker>,
    listener: TcpListener,
    signals: Signals,
    /// The address really bound.
    pub(crate) address: SocketAddr,
    /// The number of the last connection.
    last: u64,
    /// Refused connections in the log.
    refusals: LogLimit,
    /// Failures to accept in the log.
    failures: LogLimit,
}

impl Acceptor {
    pub(crate) fn bind(address: SocketAddr, mut signals: Signals) -> Result<Self, ServerError> {
        let error = |source| ServerError::Listen {
            address,
            source,
            flag: "--listen",
        };
        let mut listener = listen(address).map_err(error)?;
        let poll = Poll::new().map_err(system("ask for events"))?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(system("ask for events"))?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .and_then(|()| signals.watch(poll.registry(), SIGNAL))
            .map_err(system("ask for events"))?;
        Ok(Self {
            address: listener.local_addr().map_err(error)?,
            poll,
            waker: Arc::new(waker),
            listener,
            signals,
            last: 0,
            refusals: LogLimit::new(MOST_REFUSALS_LOGGED),
            failures: LogLimit::new(1),
        })
    }

    /// Ends [`run`](Self::run) when it is woken.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Accepts until the first signal that ends the server, or until it is woken,
    /// and has the workers drain then. Another such signal ends the program at once.
    pub(crate) fn run(mut self, shared: &Shared) -> Result<End, ServerError> {
        let mut events = Events::with_capacity(8);
        let mut timeout = None;
        let mut upkeep = Instant::now();
        let (end, at_once) = loop {
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
                polled => polled.map_err(system("wait for connections"))?,
            }
            let signals = self.take_signals();
            if signals > 0 {
                break (End::Signal, signals > 1);
            }
            if events.iter().any(|event| event.token() == WAKER) {
                break (End::Woken, false);
            }
            timeout = self.accept_all(shared);
            if let Some(look_after) = shared.config.allocator.upkeep {
                let now = Instant::now();
                if upkeep <= now {
                    look_after();
                    upkeep = now + UPKEEP;
                }
                let rest = upkeep.saturating_duration_since(now);
                timeout = Some(timeout.map_or(rest, |timeout| timeout.min(rest)));
            }
        };
        tracing::info!("draining {} connections", shared.connections());
        let Self {
            poll,
            listener,
            signals,
            ..
        } = self;
        drop(listener);
        shared.draining.store(true, Ordering::Relaxed);
        for peer in &shared.workers {
            peer.mailbox.send(Mail::Drain);
        }
        if at_once {
            end_at_once();
        }
        end_at_next_signal(poll, signals)?;
        Ok(end)
    }

    /// How many signals came that end the server.
    fn take_signals(&mut self) -> usize {
        let came = self.signals.take();
        for signal in &came {
            signal.log();
        }
        came.into_iter().filter(|signal| signal.ends()).count()
    }

    /// Accepts what is there, up to a limit. Returns how long to wait before the next call,
    /// if no event announces it.
    fn accept_all(&mut self, shared: &Shared) -> Option<Duration> {
        for _ in 0..MOST_ACCEPTED {
            match self.listener.accept() {
                Ok((socket, address)) => self.assign(shared, socket, canonical(address)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.log_omitted();
                }
                Err(error) if is_about_one(&error) => {}
                Err(error) => {
                    // A failure an interval is all there is to say, so nobody counts them.
                    if self.failures.judge(Instant::now()) == Verdict::Log {
                        tracing::error!(
                            "cannot accept connections for now: {error}; raise the limit on open files if this goes on"
                        );
                    }
                    self.log_omitted();
                    return Some(PAUSE);
                }
            }
        }
        Some(Duration::ZERO)
    }

    fn assign(&mut self, shared: &Shared, mut socket: TcpStream, address: SocketAddr) {
        self.last += 1;
        if shared.connections() >= shared.config.max_connections {
            self.log_omitted();
            if self.refusals.judge(Instant::now()) == Verdict::Log {
                tracing::warn!("client at {address}: {}", ProtocolError::Connections);
            }
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
            peer.mailbox.send_connection(socket, address, self.last);
        }
    }

    /// Logs how many refused connections were not logged, when it is time. Returns
    /// how long that is to wait.
    fn log_omitted(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if let Some(count) = self.refusals.omitted(now) {
            tracing::warn!("{count} more connections were refused");
        }
        let due = self.refusals.due();
        due.map(|due| due.saturating_duration_since(now))
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
    let mut info = shared.info.clone();
    info.client_id = id;
    let mut text = info.line();
    let line = ProtocolError::Connections.line().unwrap_or_default();
    text.extend_from_slice(line.as_bytes());
    // It fits into the buffer of a new socket, or the client is gone.
    let _ = socket.write(&text);
}

/// Leaves a thread behind that ends the program when the next signal to end comes.
fn end_at_next_signal(mut poll: Poll, mut signals: Signals) -> Result<(), ServerError> {
    super::spawn("signals", move || {
        let mut events = Events::with_capacity(1);
        loop {
            let came = signals.take();
            if came.iter().any(|signal| signal.ends()) {
                end_at_once();
            }
            came.into_iter().for_each(Signal::log);
            if poll.poll(&mut events, None).is_err() {
                // It was interrupted by the signal; look at it.
                std::thread::yield_now();
            }
        }
    })
    .map(drop)
}

fn end_at_once() -> ! {
    tracing::warn!("ended at once by a second signal");
    std::thread::sleep(LAST_WORDS);
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::super::Server;
    use super::super::rig::config;
    use super::*;

    #[test]
    fn it_ends_when_it_is_woken() {
        let server = Server::bind(config());
        let server = server.expect("any free port");
        server.acceptor.waker().wake().expect("it is there");
        let end = server.acceptor.run(&server.shared);
        assert_eq!(end.expect("it waits for events"), End::Woken);
    }
}

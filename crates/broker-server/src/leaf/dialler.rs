//! Connects to a hub whenever there is no connection.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use broker_protocol::Address;

use super::backoff::{Cause, wait};
use super::link::{Dialled, Link, Security};
#[cfg(feature = "tls")]
use super::proof::Proof;
use super::remote::{Event, Remote};
use super::{LeafUrl, ProofFile};
use crate::shared::Shared;
use crate::{ServerError, spawn};

/// Timeout of a connection attempt, as in nats-server.
const DIAL: Duration = Duration::from_secs(1);

/// Interval in which the same failure is not logged again.
const QUIET: Duration = Duration::from_mins(1);

/// The thread that connects.
#[derive(Debug)]
pub(crate) struct Dialler {
    events: mpsc::Sender<Event>,
    thread: JoinHandle<()>,
}

impl Dialler {
    /// Stops connecting. The thread ends after the current attempt.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        // The thread may already have ended.
        let _ = self.events.send(Event::Stop);
        self.thread
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The TLS files are unusable.
    pub(crate) fn start(shared: &Arc<Shared>, remote: &Arc<Remote>) -> Result<Self, ServerError> {
        let (sender, events) = mpsc::channel();
        let own = sender.clone();
        let (shared, remote) = (Arc::clone(shared), Arc::clone(remote));
        #[cfg(feature = "tls")]
        let (ca, certificate) = (remote.leaf.ca.as_deref(), remote.leaf.certificate.as_ref());
        #[cfg(feature = "tls")]
        let tls = crate::tls::load_client(ca, certificate)?;
        #[cfg(not(feature = "tls"))]
        let tls = Arc::new(());
        let thread = spawn("leaf", move || run(&shared, &remote, &tls, &own, &events))?;
        Ok(Self {
            events: sender,
            thread,
        })
    }
}

/// Logs failures, each at most once a minute.
#[derive(Debug, Default)]
struct Failures(Vec<(String, Instant)>);

impl Failures {
    fn log(&mut self, text: String, now: Instant) {
        self.0.retain(|&(_, until)| now < until);
        if self.0.iter().all(|(known, _)| *known != text) {
            tracing::warn!("{text}");
            self.0.push((text, now + QUIET));
        }
    }
}

fn run(
    shared: &Arc<Shared>,
    remote: &Arc<Remote>,
    tls: &Tls,
    own: &mpsc::Sender<Event>,
    events: &mpsc::Receiver<Event>,
) {
    let mut failures = Failures::default();
    let mut left: VecDeque<LeafUrl> = VecDeque::new();
    let mut rounds = 0_u32;
    let mut id = 1 << 31;
    loop {
        if left.is_empty() {
            left = remote.urls().into();
        }
        let Some(url) = left.pop_front() else {
            return;
        };
        let address = url.address.clone();
        let dialled = secured(remote, &address, tls).and_then(|security| {
            let (socket, peer) = dial(&address)?;
            Ok((socket, peer, security))
        });
        let cause = match dialled {
            Ok((socket, peer, security)) => {
                id += 1;
                let link = Link::new(
                    Arc::clone(remote),
                    url,
                    security,
                    Arc::clone(&shared.routes),
                    own.clone(),
                    Instant::now(),
                );
                hand_over(
                    shared,
                    Dialled {
                        socket,
                        address: peer,
                        id,
                        link: Box::new(link),
                    },
                );
                let Ok(Event::Ended(ended)) = events.recv() else {
                    return;
                };
                remote.down();
                if ended.was_up {
                    rounds = 0;
                    // Addresses that the hub reported are tried first.
                    left.clear();
                    tracing::warn!("lost the connection to hub {address}: {}", ended.why);
                } else {
                    let text = format!("cannot connect to hub {address}: {}", ended.why);
                    failures.log(text, Instant::now());
                }
                ended.cause
            }
            Err(error) => {
                rounds = rounds.saturating_add(u32::from(left.is_empty()));
                let text = format!("cannot connect to hub {address}: {error}");
                failures.log(text, Instant::now());
                Cause::Unreachable {
                    rounds,
                    others: !left.is_empty(),
                }
            }
        };
        match events.recv_timeout(wait(cause, fastrand::f64())) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}

#[cfg(feature = "tls")]
type Tls = Arc<rustls::ClientConfig>;
#[cfg(not(feature = "tls"))]
type Tls = Arc<()>;

/// Returns the TLS configuration and the keys for a connection.
#[cfg(feature = "tls")]
fn secured(remote: &Remote, address: &Address, tls: &Tls) -> io::Result<Security> {
    let proof = match &remote.leaf.proof {
        ProofFile::None => None,
        ProofFile::Seed(seed) => Some(Proof::of_seed(seed).map_err(io::Error::other)?),
        ProofFile::NKey(path) => Some(Proof::of_nkey_file(path).map_err(io::Error::other)?),
        ProofFile::Credentials(path) => {
            Some(Proof::of_credentials_file(path).map_err(io::Error::other)?)
        }
    };
    // A hub often reports numeric addresses, while its certificate contains names.
    let is_name = |host: &&str| host.parse::<std::net::IpAddr>().is_err();
    let hosts = remote.leaf.urls.iter().map(|url| &*url.address.host);
    let mut names = [&*address.host].into_iter().chain(hosts).filter(is_name);
    let server_name = names.next().unwrap_or(&address.host).to_owned();
    Ok(Security {
        tls: Arc::clone(tls),
        server_name,
        proof,
    })
}

/// Returns nothing, because this build does not support it.
#[cfg(not(feature = "tls"))]
fn secured(remote: &Remote, _: &Address, _: &Tls) -> io::Result<Security> {
    if remote.leaf.proof == ProofFile::None {
        Ok(Security {})
    } else {
        Err(io::Error::other("this build does not support NKeys or TLS"))
    }
}

/// Connects to one of a name's addresses.
fn dial(address: &Address) -> io::Result<(mio::net::TcpStream, SocketAddr)> {
    let resolved = (address.host.as_str(), address.port).to_socket_addrs()?;
    let mut resolved: Vec<_> = resolved.collect();
    fastrand::shuffle(&mut resolved);
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for peer in resolved {
        match TcpStream::connect_timeout(&peer, DIAL) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
                return Ok((mio::net::TcpStream::from_std(socket), peer));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Gives a connection to the worker with the fewest connections.
fn hand_over(shared: &Shared, dialled: Dialled) {
    let workers = shared.workers.iter().filter(|peer| !peer.is_dead());
    let peer = workers.min_by_key(|peer| peer.connections.load(Relaxed));
    // If there is none, the link is dropped, which ends it.
    if let Some(peer) = peer {
        peer.mailbox.send_link(dialled);
    }
}

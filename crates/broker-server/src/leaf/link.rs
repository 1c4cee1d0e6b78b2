//! The connection to a hub, from the worker's side.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use broker_protocol::{HubInfo, LeafConnect, LeafProof, is_literal, push_interest, tokens};

use super::LeafUrl;
use super::backoff::Cause;
use super::filter::Filter;
#[cfg(feature = "tls")]
use super::proof::Proof;
use super::remote::{Ended, Event, Remote};
use crate::routes::{Routes, Watch};
#[cfg(feature = "tls")]
use crate::tls::Session;

/// Timeout for the first INFO, as in nats-server.
const FIRST_INFO: Duration = Duration::from_secs(1);

/// Timeout for the answer to CONNECT, as in nats-server.
const CONNECTED: Duration = Duration::from_secs(2);

/// How long a connection may be idle before the server sends PING: shorter than for a client,
/// because a dead link cuts off all clients.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Timeout for a TLS handshake, as in nats-server.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// JetStream subjects. A hub disconnects a leaf node that subscribes to a literal one of them,
/// unless it shares its JetStream with it.
const JETSTREAM: [&[u8]; 3] = [b"$JS.API.", b"$KV.", b"$OBJ."];

/// The phase of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first INFO must arrive before this time.
    Info(Instant),
    /// CONNECT was sent, and the answer must arrive before this time.
    Connecting(Instant),
    /// Messages go both ways.
    Up,
}

/// A connection to a hub, to be taken over by a worker.
#[derive(Debug)]
pub(crate) struct Dialled {
    pub(crate) socket: mio::net::TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) id: u64,
    pub(crate) link: Box<Link>,
}

/// The action after an INFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Todo {
    Nothing,
    /// Start TLS, and send CONNECT after the handshake.
    Encrypt,
    /// Send CONNECT.
    Connect,
    /// Start exchanging messages, see [`Link::go_up`].
    GoUp,
    /// Close the connection.
    End,
}

/// The TLS configuration and keys of a connection.
#[derive(Debug)]
pub(crate) struct Security {
    #[cfg(feature = "tls")]
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// The name that the hub's certificate must contain.
    #[cfg(feature = "tls")]
    pub(crate) server_name: String,
    #[cfg(feature = "tls")]
    pub(crate) proof: Option<Proof>,
}

impl Security {
    #[cfg(feature = "tls")]
    fn prove(&self, nonce: &str) -> LeafProof {
        let Some(Proof { key, jwt }) = &self.proof else {
            return LeafProof::default();
        };
        LeafProof {
            nkey: jwt.is_none().then(|| key.public()),
            jwt: jwt.clone(),
            sig: Some(key.sign(nonce)),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self)]
    fn prove(&self, _: &str) -> LeafProof {
        LeafProof::default()
    }
}

/// A connection to a hub.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) remote: Arc<Remote>,
    /// The URL that was connected to.
    url: LeafUrl,
    security: Security,
    phase: Phase,
    /// The hub's last INFO.
    info: HubInfo,
    /// Subjects that may be sent to the hub.
    export: Filter,
    /// Subjects that may be received from the hub.
    import: Filter,
    /// The clients' subscriptions, since the link is up.
    watch: Option<Arc<Watch>>,
    routes: Arc<Routes>,
    /// The reason for its end, once that is known.
    end: Option<(Cause, String)>,
    /// Informs the thread that reconnects.
    events: Mutex<mpsc::Sender<Event>>,
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            self.routes.forget(watch);
        }
        let (cause, why) = self.end.take().unwrap_or_else(|| {
            let (cause, why) = match self.phase {
                Phase::Info(_) => (Cause::Refused, "the hub closed the connection before INFO"),
                Phase::Connecting(_) => (
                    Cause::Refused,
                    "the hub closed the connection after CONNECT",
                ),
                Phase::Up => (Cause::Lost, "the hub closed the connection"),
            };
            (cause, why.to_owned())
        });
        let ended = Ended {
            cause,
            why,
            was_up: self.phase == Phase::Up,
        };
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        // At the end of the server the receiver is gone.
        let _ = events.send(Event::Ended(ended));
    }
}

impl Link {
    pub(crate) fn new(
        remote: Arc<Remote>,
        url: LeafUrl,
        security: Security,
        routes: Arc<Routes>,
        events: mpsc::Sender<Event>,
        now: Instant,
    ) -> Self {
        let handshake = if remote.leaf.tls_first {
            HANDSHAKE
        } else {
            Duration::ZERO
        };
        Self {
            remote,
            url,
            security,
            phase: Phase::Info(now + handshake + FIRST_INFO),
            info: HubInfo::default(),
            export: Filter::default(),
            import: Filter::default(),
            watch: None,
            routes,
            end: None,
            events: Mutex::new(events),
        }
    }

    /// Returns whether the first INFO is missing; TLS may come before it.
    pub(crate) fn awaits_info(&self) -> bool {
        matches!(self.phase, Phase::Info(_))
    }

    /// Returns whether messages go both ways.
    pub(crate) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Records the reason for the end; the first one counts.
    pub(crate) fn ends(&mut self, cause: Cause, why: impl Into<String>) {
        if self.end.is_none() {
            self.end = Some((cause, why.into()));
        }
    }

    /// Records an error from the hub, which may precede the end of the connection.
    pub(crate) fn hub_says(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        let lower = text.to_ascii_lowercase();
        let says = |part: &str| lower.contains(part);
        let cause = if says("loop detected") || says("duplicate") || says("same cluster name") {
            Cause::Conflict
        } else if says("stale connection") {
            Cause::Lost
        } else {
            Cause::Refused
        };
        let hint = if says("duplicate") || says("same cluster name") {
            "; give this server a unique name (--name)"
        } else if says("authorization violation") {
            "; check the user, password or token in --leaf"
        } else if says("loop detected") {
            "; leaf nodes and hubs must not form a loop"
        } else {
            ""
        };
        self.ends(cause, format!("the hub reports: {text}{hint}"));
    }

    /// Processes an INFO, and returns the next action.
    pub(crate) fn informed(&mut self, json: &[u8], now: Instant) -> Todo {
        let Ok(info) = HubInfo::parse(json) else {
            self.ends(Cause::Refused, "the hub's INFO is malformed");
            return Todo::End;
        };
        match self.phase {
            Phase::Info(_) => {
                if !info.is_for_leaf_nodes() {
                    self.ends(
                        Cause::Refused,
                        "this is not a leaf node port (nats-server's default is 7422)",
                    );
                    return Todo::End;
                }
                let first = self.remote.leaf.tls_first;
                let encrypts = info.tls_required && !first;
                if encrypts {
                    // Anybody on the way may have written it, and the certificate of a server must
                    // be for its address. The hub repeats the addresses after CONNECT.
                    self.learn(HubInfo {
                        leafnode_urls: None,
                        ..info
                    });
                    self.phase = Phase::Connecting(now + HANDSHAKE + CONNECTED);
                    return Todo::Encrypt;
                }
                self.learn(info);
                if self.url.tls && !first {
                    self.ends(
                        Cause::Refused,
                        "the hub has no TLS, which tls:// in --leaf requires",
                    );
                    return Todo::End;
                }
                self.phase = Phase::Connecting(now + CONNECTED);
                Todo::Connect
            }
            Phase::Connecting(_) => {
                let up = info.connect_info;
                self.learn(info);
                if up { Todo::GoUp } else { Todo::Nothing }
            }
            Phase::Up => {
                self.learn(info);
                Todo::Nothing
            }
        }
    }

    /// Returns CONNECT, and whether the hub will answer it.
    pub(crate) fn connect(&self) -> (Vec<u8>, bool) {
        let Remote {
            server_id,
            name,
            leaf,
            ..
        } = &*self.remote;
        let proof = self.security.prove(&self.info.nonce);
        let login = &self.url.login;
        let connect = LeafConnect::new(server_id, name, &leaf.deny_imports, login, &proof);
        (connect.line(), self.info.info_on_connect)
    }

    /// Starts a TLS session.
    ///
    /// # Errors
    ///
    /// The session cannot be created; the reason is recorded.
    #[cfg(feature = "tls")]
    pub(crate) fn session(&mut self) -> Result<Session, ()> {
        let name = &self.security.server_name;
        Session::to(&self.security.tls, name).map_err(|error| {
            self.ends(Cause::Refused, format!("TLS: {error}"));
        })
    }

    /// Records a read error, if it says more than that the connection ended.
    pub(crate) fn failed(&mut self, error: &std::io::Error) {
        if error.kind() != std::io::ErrorKind::InvalidData {
            return;
        }
        #[cfg(feature = "tls")]
        if self.remote.leaf.tls_first && crate::tls::is_not_tls(error) {
            self.ends(
                Cause::Refused,
                "the hub does not start with TLS: leave out --leaf-tls-first",
            );
            return;
        }
        self.ends(Cause::Refused, format!("TLS: {error}"));
    }

    fn learn(&mut self, info: HubInfo) {
        let leaf = &self.remote.leaf;
        self.export = Filter::new(info.export.as_ref(), &leaf.deny_exports);
        self.import = Filter::new(info.import.as_ref(), &leaf.deny_imports);
        self.remote
            .learn_urls(info.leafnode_urls.as_deref().unwrap_or_default());
        // Fields that only the first INFO contains are kept.
        let first = std::mem::replace(&mut self.info, info);
        if self.info.server_name.is_empty() {
            self.info.server_name = first.server_name;
        }
        self.info.headers |= first.headers;
        if self.info.domain.is_empty() {
            self.info.domain = first.domain;
        }
        if self.info.nonce.is_empty() {
            self.info.nonce = first.nonce;
        }
        self.info.info_on_connect |= first.info_on_connect;
    }

    /// Starts the exchange of messages. `tell` is called when `watch` has changes. Returns the LS+
    /// lines of all clients' subscriptions.
    pub(crate) fn go_up(&mut self, tell: impl Fn() + Send + Sync + 'static) -> Vec<u8> {
        self.phase = Phase::Up;
        let watch = Arc::new(Watch::new(tell));
        let mut lines = Vec::new();
        let loops = [b"$LDS.", self.remote.loop_id.as_bytes()].concat();
        push_interest(&mut lines, &loops, None, 1);
        self.routes.watch(&watch, |pattern, queue, clients| {
            if self.may_want(pattern) {
                push_interest(&mut lines, pattern, queue, clients);
            }
        });
        self.watch = Some(watch);
        self.remote.up(&self.url.address, &self.info);
        lines
    }

    /// Returns the LS+ and LS- lines for changes in the clients' subscriptions.
    pub(crate) fn changes(&self) -> Option<Vec<u8>> {
        let watch = self.watch.as_ref().filter(|watch| !watch.is_empty())?;
        let mut lines = Vec::new();
        while let Some(change) = watch.take() {
            if self.may_want(&change.pattern) {
                push_interest(
                    &mut lines,
                    &change.pattern,
                    change.queue.as_deref(),
                    change.clients,
                );
            }
        }
        Some(lines)
    }

    /// Returns whether the hub may get a subscription to this pattern.
    fn may_want(&self, pattern: &[u8]) -> bool {
        let is_below = |prefix: &[u8]| pattern.starts_with(prefix);
        let is_jetstream = is_literal(pattern)
            && (JETSTREAM.iter().any(|prefix| is_below(prefix)) || self.is_of_domain(pattern));
        !is_jetstream && self.import.may_be_wanted(pattern)
    }

    /// Returns whether it is a subject of the hub's JetStream API.
    fn is_of_domain(&self, pattern: &[u8]) -> bool {
        let mut tokens = tokens(pattern);
        tokens.next() == Some(b"$JS")
            && tokens.next() == Some(self.info.domain.as_bytes())
            && tokens.next() == Some(b"API")
    }

    /// Returns whether a message to this subject may be sent to the hub. Its size may exceed the
    /// hub's `max_payload`, which is for the hub's clients.
    #[inline]
    pub(crate) fn takes(&self, subject: &[u8]) -> bool {
        self.is_up() && self.export.lets_through(subject)
    }

    /// Returns whether a message to this subject may be received from the hub.
    #[inline]
    pub(crate) fn gives(&self, subject: &[u8]) -> bool {
        self.import.lets_through(subject)
    }

    /// Returns whether the hub supports headers.
    #[inline]
    pub(crate) fn has_headers(&self) -> bool {
        self.info.headers
    }

    /// Counts a message to the hub.
    #[inline]
    pub(crate) fn count_out(&self, body: usize) {
        self.remote.out_msgs.fetch_add(1, Relaxed);
        self.remote.out_bytes.fetch_add(body as u64, Relaxed);
    }

    /// Counts a message from the hub.
    #[inline]
    pub(crate) fn count_in(&self, body: usize) {
        self.remote.in_msgs.fetch_add(1, Relaxed);
        self.remote.in_bytes.fetch_add(body as u64, Relaxed);
    }

    /// Returns whether a timeout has passed, and records it as the reason for the end.
    pub(crate) fn is_overdue(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Info(deadline) if now >= deadline => {
                self.ends(
                    Cause::Refused,
                    "no INFO within 1 s; is this a leaf node port? If the hub has handshake_first, use --leaf-tls-first",
                );
                true
            }
            Phase::Connecting(deadline) if now >= deadline => {
                self.ends(Cause::Lost, "the hub did not answer CONNECT within 2 s");
                true
            }
            _ => false,
        }
    }
}

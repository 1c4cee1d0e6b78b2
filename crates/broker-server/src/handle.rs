//! What a running server is asked to do, by any thread of its program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use mio::Waker;

use super::Config;
use super::settings::ReloadError;
use super::shared::Shared;

/// What a server is asked to do. A later one of these includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// To take connections and serve them.
    Serve,
    /// To send its clients to other servers, and to end when none is left.
    LameDuck,
    /// To end when clients have what waits for them.
    Drain,
    /// To end at once.
    Stop,
}

/// The greatest wish so far. The acceptor reads it, handles write it.
#[derive(Debug, Default)]
pub(crate) struct Wishes(AtomicU8);

impl Wishes {
    /// The greatest wish so far.
    pub(crate) fn greatest(&self) -> Wish {
        let wish = self.0.load(Ordering::SeqCst);
        let known = [Wish::LameDuck, Wish::Drain, Wish::Stop];
        known
            .into_iter()
            .rfind(|&known| known as u8 <= wish)
            .unwrap_or(Wish::Serve)
    }

    /// Adds a wish. A smaller one than the greatest changes nothing.
    pub(crate) fn add(&self, wish: Wish) {
        self.0.fetch_max(wish as u8, Ordering::SeqCst);
    }
}

/// A way to reach a server from any thread, also after the server has ended: then
/// nothing happens.
///
/// A handle is cheap to clone, and keeps no resources of the server.
#[derive(Debug, Clone)]
pub struct Handle {
    address: SocketAddr,
    monitor_address: Option<SocketAddr>,
    websocket_url: Option<String>,
    wishes: Arc<Wishes>,
    waker: Weak<Waker>,
    shared: Weak<Shared>,
}

impl Handle {
    pub(crate) fn new(
        address: SocketAddr,
        monitor_address: Option<SocketAddr>,
        wishes: Arc<Wishes>,
        waker: &Arc<Waker>,
        shared: &Arc<Shared>,
    ) -> Self {
        Self {
            address,
            monitor_address,
            websocket_url: websocket_url(shared),
            wishes,
            waker: Arc::downgrade(waker),
            shared: Arc::downgrade(shared),
        }
    }

    /// The address at which clients connect, with the port that the system chose if
    /// [`Config::listen`](crate::Config::listen) has port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the monitoring, if [`Config::http`](crate::Config::http) asks
    /// for it.
    #[must_use]
    pub fn monitor_address(&self) -> Option<SocketAddr> {
        self.monitor_address
    }

    /// The URL for a client on the same machine, such as `nats://127.0.0.1:4222`. A
    /// server that listens at every address is reached by loopback.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", reachable(self.address))
    }

    /// The URL for a WebSocket client on the same machine, such as `ws://127.0.0.1:9222`, if
    /// [`Config::websocket`](crate::Config::websocket) asks for that port.
    #[must_use]
    pub fn websocket_url(&self) -> Option<&str> {
        self.websocket_url.as_deref()
    }

    /// Ends the server at once, also one that drains: connections are closed, and what
    /// waits for clients is lost. [`Server::run`](crate::Server::run) returns `Ok`.
    ///
    /// It returns before the server has ended.
    pub fn stop(&self) {
        self.ask(Wish::Stop);
    }

    /// Ends the server when clients have what waits for them, as SIGTERM ends
    /// `broker serve`.
    ///
    /// The server takes no connections any more. It carries out what clients have sent
    /// so far, sends them INFO with `"ldm":true`, writes what waits for them and closes
    /// their connections. It takes
    /// [`Config::drain_timeout`](crate::Config::drain_timeout) at most.
    ///
    /// It returns before the server has ended.
    pub fn drain(&self) {
        self.ask(Wish::Drain);
    }

    /// Sends the clients to other servers before the server ends, as SIGUSR2 does with
    /// `broker serve` and nats-server: the lame duck mode.
    ///
    /// The server takes no connections any more, and sends INFO with `"ldm":true` to clients
    /// that understand it at any time. After
    /// [`Config::lame_duck_grace_period`](crate::Config::lame_duck_grace_period) it closes
    /// the connections one by one, so that not all clients connect elsewhere at the same
    /// time, and it [drains](Self::drain) when none is left. All of that takes
    /// [`Config::lame_duck_duration`](crate::Config::lame_duck_duration) at most.
    ///
    /// It returns before the server has ended. Meanwhile, [`drain`](Self::drain) and
    /// [`stop`](Self::stop) end the server sooner.
    pub fn lame_duck(&self) {
        self.ask(Wish::LameDuck);
    }

    /// Has the server go by another configuration: all of it, or nothing.
    ///
    /// What can change are the credentials and users, the files for TLS, which new
    /// connections go by, [`Config::limits`], `max_connections`, `max_subscriptions`,
    /// `ping_interval`, `max_pings_out`, `auth_timeout` and `write_deadline`. Clients whose
    /// user is gone or has another password are ended with `Authorization Violation`;
    /// subscriptions that their user may not have any more end with an error. Everybody else
    /// loses nothing.
    ///
    /// # Errors
    ///
    /// What cannot change while the server runs, makes no sense or cannot be read. Nothing
    /// has changed then.
    pub fn reload(&self, config: &Config) -> Result<(), ReloadError> {
        let shared = self.shared.upgrade().ok_or(ReloadError::Ended)?;
        shared.reload(config)
    }

    /// Whether the server drains, stops or has ended.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.wishes.greatest() >= Wish::Drain || self.waker.strong_count() == 0
    }

    /// Whether the server was asked to end at once.
    pub(crate) fn was_stopped(&self) -> bool {
        self.wishes.greatest() == Wish::Stop
    }

    fn ask(&self, wish: Wish) {
        self.wishes.add(wish);
        if let Some(waker) = self.waker.upgrade()
            && let Err(error) = waker.wake()
        {
            tracing::error!("cannot wake up the server: {error}");
        }
    }
}

/// The address of a listener for clients on the same machine: loopback if it listens at
/// every address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(feature = "tls")]
fn websocket_url(shared: &Shared) -> Option<String> {
    let port = shared.websocket.as_ref()?;
    let scheme = if port.tls.is_some() { "wss" } else { "ws" };
    Some(format!("{scheme}://{}", reachable(port.address)))
}

#[cfg(not(feature = "tls"))]
fn websocket_url(_: &Shared) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_wish_counts() {
        let wishes = Wishes::default();
        for (added, greatest) in [
            (Wish::Serve, Wish::Serve),
            (Wish::LameDuck, Wish::LameDuck),
            (Wish::Drain, Wish::Drain),
            (Wish::LameDuck, Wish::Drain),
            (Wish::Stop, Wish::Stop),
            (Wish::Drain, Wish::Stop),
        ] {
            wishes.add(added);
            assert_eq!(wishes.greatest(), greatest);
        }
    }

    #[test]
    fn a_url_is_one_that_clients_can_connect_to() {
        for (address, url) in [
            ("127.0.0.1:4222", "nats://127.0.0.1:4222"),
            ("192.0.2.1:1", "nats://192.0.2.1:1"),
            ("0.0.0.0:4222", "nats://127.0.0.1:4222"),
            ("[::]:4222", "nats://[::1]:4222"),
            ("[2001:db8::1]:4222", "nats://[2001:db8::1]:4222"),
        ] {
            let address = reachable(address.parse().unwrap());
            assert_eq!(format!("nats://{address}"), url);
        }
    }
}

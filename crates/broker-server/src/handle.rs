//! Requests to a running server, from any thread of its program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use mio::Waker;

use super::Config;
use super::settings::ReloadError;
use super::shared::Shared;

/// A request to the server. A later variant includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// Accept connections and serve them.
    Serve,
    /// Send clients to other servers, and end when none is left.
    LameDuck,
    /// End when the clients' pending output is written.
    Drain,
    /// End at once.
    Stop,
}

/// The greatest request so far. The acceptor reads it, handles write it.
#[derive(Debug, Default)]
pub(crate) struct Wishes(AtomicU8);

impl Wishes {
    /// Returns the greatest request so far.
    pub(crate) fn greatest(&self) -> Wish {
        let wish = self.0.load(Ordering::SeqCst);
        let known = [Wish::LameDuck, Wish::Drain, Wish::Stop];
        known
            .into_iter()
            .rfind(|&known| known as u8 <= wish)
            .unwrap_or(Wish::Serve)
    }

    /// Adds a request. A smaller one than the greatest changes nothing.
    pub(crate) fn add(&self, wish: Wish) {
        self.0.fetch_max(wish as u8, Ordering::SeqCst);
    }
}

/// Controls a server from any thread. After the server has ended, calls have no effect.
///
/// A handle is cheap to clone and does not keep the server's resources.
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

    /// Returns the address for clients, with the port that the system chose if
    /// [`Config::listen`](crate::Config::listen) has port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of monitoring, if [`Config::http`](crate::Config::http) enables it.
    #[must_use]
    pub fn monitor_address(&self) -> Option<SocketAddr> {
        self.monitor_address
    }

    /// Returns the URL for a client on the same machine, such as `nats://127.0.0.1:4222`. For a
    /// server that listens on every address, the URL contains the loopback address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", reachable(self.address))
    }

    /// The URL of the monitoring for a client on the same machine, such as
    /// `http://127.0.0.1:8222`, if [`Config::http`](crate::Config::http) asks for that port.
    #[must_use]
    pub fn monitor_url(&self) -> Option<String> {
        let address = self.monitor_address.map(reachable)?;
        Some(format!("http://{address}"))
    }

    /// The URL for a WebSocket client on the same machine, such as `ws://127.0.0.1:9222`, if
    /// [`Config::websocket`](crate::Config::websocket) asks for that port.
    #[must_use]
    pub fn websocket_url(&self) -> Option<&str> {
        self.websocket_url.as_deref()
    }

    /// Ends the server at once, even during a drain: it closes the connections, and pending output
    /// is lost. [`Server::run`](crate::Server::run) returns `Ok`.
    ///
    /// Returns before the server has ended.
    pub fn stop(&self) {
        self.ask(Wish::Stop);
    }

    /// Ends the server after writing the clients' pending output, as SIGTERM does with
    /// `broker serve`.
    ///
    /// The server stops accepting connections. It executes the clients' input so far, sends them
    /// INFO with `"ldm":true`, writes their pending output and closes their connections. The drain
    /// takes at most [`Config::drain_timeout`](crate::Config::drain_timeout).
    ///
    /// Returns before the server has ended.
    pub fn drain(&self) {
        self.ask(Wish::Drain);
    }

    /// Starts lame duck mode: sends the clients to other servers before the server ends, as SIGUSR2
    /// does with `broker serve` and nats-server.
    ///
    /// The server stops accepting connections, and sends INFO with `"ldm":true` to clients that
    /// accept it at any time. After
    /// [`Config::lame_duck_grace_period`](crate::Config::lame_duck_grace_period) it closes the
    /// connections one by one, so the clients do not all connect elsewhere at the same time. It
    /// [drains](Self::drain) when none is left. All of that takes at most
    /// [`Config::lame_duck_duration`](crate::Config::lame_duck_duration).
    ///
    /// Returns before the server has ended. Until then, [`drain`](Self::drain) and
    /// [`stop`](Self::stop) end the server sooner.
    pub fn lame_duck(&self) {
        self.ask(Wish::LameDuck);
    }

    /// Applies another configuration: all of it, or nothing.
    ///
    /// A reload can change the credentials and users, the TLS files (for new connections),
    /// [`Config::limits`], `max_connections`, `max_subscriptions`, `ping_interval`,
    /// `max_pings_out`, `tls_timeout`, `auth_timeout` and `write_deadline`. Clients whose user is
    /// gone or has another password are disconnected with `Authorization Violation`; subscriptions
    /// that the user may not have any more end with an error. With more connections than
    /// `max_connections`, the newest ones of the workers with the most end. Other clients are not
    /// affected.
    ///
    /// # Errors
    ///
    /// A change that needs a restart, an invalid value, or an unreadable file. In that case nothing
    /// has changed.
    pub fn reload(&self, config: &Config) -> Result<(), ReloadError> {
        let shared = self.shared.upgrade().ok_or(ReloadError::Ended)?;
        shared.reload(config)
    }

    /// Returns whether the server drains, stops or has ended.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.wishes.greatest() >= Wish::Drain || self.waker.strong_count() == 0
    }

    /// Returns whether an immediate end was requested.
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
    let address = shared.websocket?;
    let config = shared.config.websocket.as_ref()?;
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    Some(format!("{scheme}://{}", reachable(address)))
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

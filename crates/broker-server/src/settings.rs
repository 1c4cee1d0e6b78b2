//! The part of a configuration that can change while the server runs.

use std::time::Duration;

use super::access::{Access, AccessError};
use super::config::{Config, TlsStart};
use super::connection::Intervals;
#[cfg(feature = "tls")]
use super::tls::{self, TlsError};
#[cfg(feature = "tls")]
use super::websocket::Terms;
use broker_protocol::{Limits, ServerInfo};

/// Why a server rejects a new configuration.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The users are invalid.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The TLS files are unusable.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An option has changed that needs a restart.
    #[error("{0} cannot change while the server runs; restart the server to change it")]
    Fixed(&'static str),
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
}

/// The settings that workers use. A reload replaces all of them.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) access: Access,
    /// INFO without the fields that differ between clients.
    pub(crate) info: ServerInfo,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<std::sync::Arc<rustls::ServerConfig>>,
    /// For the WebSocket port, if there is one.
    #[cfg(feature = "tls")]
    pub(crate) websocket: Option<Terms>,
    pub(crate) tls_start: TlsStart,
    pub(crate) limits: Limits,
    pub(crate) max_connections: usize,
    pub(crate) max_subscriptions: usize,
    pub(crate) max_subscription_tokens: usize,
    pub(crate) tls_timeout: Duration,
    pub(crate) auth_timeout: Duration,
    /// Time limit for a client's WebSocket upgrade.
    upgrade_timeout: Duration,
    pub(crate) intervals: Intervals,
}

impl Settings {
    /// Converts a configuration. `info` has the server's fields of INFO.
    ///
    /// # Errors
    ///
    /// An invalid value, or an unreadable file.
    pub(crate) fn new(config: &Config, info: &ServerInfo) -> Result<Self, ReloadError> {
        let access = Access::new(&config.credentials)?;
        let info = ServerInfo {
            auth_required: access.guest().is_none(),
            tls_required: config.tls.is_some() && !config.tls_start.allows_clear(),
            tls_available: config.tls.is_some() && config.tls_start.allows_clear(),
            tls_verify: config.tls.as_ref().is_some_and(|tls| tls.ca.is_some()),
            max_payload: config.limits.max_payload,
            ..info.clone()
        };
        Ok(Self {
            access,
            info,
            #[cfg(feature = "tls")]
            tls: config.tls.as_ref().map(tls::load).transpose()?,
            #[cfg(feature = "tls")]
            websocket: (config.websocket.as_ref())
                .map(|websocket| Terms::new(websocket, &config.limits))
                .transpose()?,
            tls_start: config.tls_start,
            limits: config.limits,
            max_connections: config.max_connections,
            max_subscriptions: config.max_subscriptions,
            max_subscription_tokens: config.max_subscription_tokens,
            tls_timeout: config.tls_timeout,
            auth_timeout: config.auth_timeout,
            upgrade_timeout: (config.websocket.as_ref())
                .map_or(Duration::MAX, |websocket| websocket.handshake_timeout),
            intervals: Intervals {
                ping_interval: config.ping_interval,
                max_pings_out: config.max_pings_out,
                write_deadline: config.write_deadline,
            },
        })
    }

    /// Returns the interval in which workers check their timeouts.
    pub(crate) fn tick(&self) -> Duration {
        let shortest = self
            .intervals
            .ping_interval
            .min(self.intervals.write_deadline)
            .min(self.tls_timeout)
            .min(self.auth_timeout)
            .min(self.upgrade_timeout);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_millis(500))
    }
}

impl Config {
    /// Checks the users and TLS files, but not the ports and the hub.
    ///
    /// # Errors
    ///
    /// The first error.
    pub fn check(&self) -> Result<(), ReloadError> {
        Settings::new(self, &super::info(self, self.listen)).map(drop)
    }
}

/// Returns the command line name of an option that differs and needs a restart.
pub(crate) fn fixed(old: &Config, new: &Config) -> Option<&'static str> {
    let same = [
        ("--listen", old.listen == new.listen),
        ("--http", old.http == new.http),
        ("http_base_path", old.http_base_path == new.http_base_path),
        ("--workers", old.workers == new.workers),
        ("--name", old.name == new.name),
        ("--leaf", old.leaf == new.leaf),
        ("--websocket", old.websocket == new.websocket),
        ("no_header_support", old.headers == new.headers),
        ("--max-pending", old.max_pending == new.max_pending),
        ("--max-memory", old.max_memory == new.max_memory),
        ("--drain-timeout", old.drain_timeout == new.drain_timeout),
        (
            "--lame-duck-duration",
            old.lame_duck_duration == new.lame_duck_duration,
        ),
        (
            "--lame-duck-grace-period",
            old.lame_duck_grace_period == new.lame_duck_grace_period,
        ),
    ];
    same.into_iter()
        .find(|(_, same)| !same)
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::super::rig::config;
    use super::*;

    #[test]
    fn some_things_cannot_change() {
        type Change = fn(&mut Config);
        let changes: [(Change, Option<&str>); 7] = [
            (|_| {}, None),
            (|config| config.max_connections = 1, None),
            (|config| config.tls_timeout *= 2, None),
            (|config| config.listen.set_port(1), Some("--listen")),
            (|config| config.workers += 1, Some("--workers")),
            (|config| config.name = Some("x".to_owned()), Some("--name")),
            (|config| config.max_pending += 1, Some("--max-pending")),
        ];
        for (change, expected) in changes {
            let mut new = config();
            change(&mut new);
            assert_eq!(fixed(&config(), &new), expected);
        }
    }

    #[test]
    fn the_shortest_timeout_determines_the_tick() {
        let info = super::super::info(&config(), config().listen);
        for (ping, write, tls, auth, tick) in [
            (120_000, 10_000, 2_000, 2_000, 500),
            (400, 10_000, 2_000, 2_000, 100),
            (120_000, 200, 2_000, 2_000, 50),
            (120_000, 10_000, 300, 2_000, 75),
            (120_000, 10_000, 2_000, 1, 10),
        ] {
            let config = Config {
                ping_interval: Duration::from_millis(ping),
                write_deadline: Duration::from_millis(write),
                tls_timeout: Duration::from_millis(tls),
                auth_timeout: Duration::from_millis(auth),
                ..config()
            };
            let settings = Settings::new(&config, &info).expect("it makes sense");
            assert_eq!(settings.tick(), Duration::from_millis(tick));
        }
    }
}

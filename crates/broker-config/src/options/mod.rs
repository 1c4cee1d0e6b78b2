//! What a configuration can set.

mod authorization;
mod checks;
mod durations;
mod leaf;
mod others;
mod permissions;
mod reader;
#[cfg(test)]
mod tests;
mod tls;
mod top;
mod users;
mod websocket;

use std::path::PathBuf;
use std::time::Duration;

use broker_server::{LeafUrl, User};

use crate::secret::Secret;
pub use others::can_be_ignored;
pub(crate) use top::read;

/// What a configuration sets. What it does not set is `None`, and so is a 0 where that
/// stands for nats-server's default.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where clients connect: a name or an IP address without brackets.
    pub host: Option<String>,
    /// The port for clients; 0 is any free one.
    pub port: Option<u16>,
    /// Name of the server, for people.
    pub server_name: Option<String>,
    /// Where monitoring is served; as [`Options::host`], and that if it is `None`.
    pub http_host: Option<String>,
    /// The port for monitoring, which is off if it is `None`; 0 is any free one.
    pub http_port: Option<u16>,
    /// What the paths of pages begin with: `/`, or `/NAME` without a `/` at its end.
    pub http_base_path: Option<String>,
    /// Whether debug messages are logged.
    pub debug: Option<bool>,
    /// Whether what clients send is logged.
    pub trace: Option<bool>,
    /// The file for the log, from the working directory.
    pub log_file: Option<PathBuf>,
    /// The file for the id of the process, from the working directory.
    pub pid_file: Option<PathBuf>,
    /// The folder for a file with the ports of the server, from the working directory.
    pub ports_file_dir: Option<PathBuf>,
    /// Longest line of the protocol in bytes: 64 to 32768.
    pub max_control_line: Option<u32>,
    /// Largest payload of a message in bytes: 1 to 999999999, and no more than
    /// [`Options::max_pending`] or its default.
    pub max_payload: Option<u32>,
    /// Most bytes that may wait for a connection: 1024 to 2^31.
    pub max_pending: Option<u32>,
    /// Most connections at a time: 1 and up, `usize::MAX` for any number.
    pub max_connections: Option<usize>,
    /// Most subscriptions of a connection; 0 is any number.
    pub max_subscriptions: Option<usize>,
    /// Most tokens of a subject that is subscribed to: 1 to 255.
    pub max_sub_tokens: Option<u8>,
    /// How long a connection may be quiet before it is asked whether it lives: a
    /// millisecond to a year.
    pub ping_interval: Option<Duration>,
    /// How many such questions may be without answer.
    pub ping_max: Option<u32>,
    /// How long a byte may wait for a connection: a millisecond to a year.
    pub write_deadline: Option<Duration>,
    /// How long the end of the server by lame duck mode takes: 30 s and up.
    pub lame_duck_duration: Option<Duration>,
    /// How long clients have of that to leave themselves: less than
    /// [`Options::lame_duck_duration`] or its default.
    pub lame_duck_grace_period: Option<Duration>,
    /// The user that a client without credentials is: one of [`Authorization::users`].
    pub no_auth_user: Option<String>,
    /// Whether clients may do without TLS where it is configured.
    pub allow_non_tls: Option<bool>,
    /// TLS for clients.
    pub tls: Option<Tls>,
    /// Who may connect.
    pub authorization: Option<Authorization>,
    /// The listener for WebSocket.
    pub websocket: Option<WebSocket>,
    /// The hub to be a leaf node of.
    pub leaf_remote: Option<LeafRemote>,
}

/// TLS of a listener. Paths are taken from the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and those that vouch for it, in PEM.
    pub cert_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
    /// Who vouches for clients, in PEM: of use with [`Tls::verify`] alone, which needs it.
    pub ca_file: Option<PathBuf>,
    /// Whether clients need a certificate.
    pub verify: bool,
    /// How long the handshake may take: a millisecond to a year.
    pub timeout: Option<Duration>,
    /// Whether the handshake comes before INFO.
    pub handshake_first: HandshakeFirst,
    /// The least version.
    pub min_version: Option<TlsVersion>,
}

/// Whether the TLS handshake comes before INFO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HandshakeFirst {
    /// INFO comes first.
    #[default]
    No,
    /// The handshake does, always.
    Yes,
    /// The handshake does, unless the client has not begun it in this time.
    Fallback(Duration),
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2.
    Tls12,
    /// 1.3.
    Tls13,
}

/// Who may connect. At most one of user, token and users is set.
#[derive(Debug, Clone, Default)]
pub struct Authorization {
    /// The name of the one user.
    pub user: Option<String>,
    /// The password, or its bcrypt hash, if there is a user.
    pub password: Option<Secret>,
    /// The token, or its bcrypt hash.
    pub token: Option<Secret>,
    /// How long a client may take for its credentials: a millisecond to a year.
    pub timeout: Option<Duration>,
    /// The users. Their public NKeys have the right form, but their checksums are not
    /// looked at.
    pub users: Vec<User>,
}

/// A listener for WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocket {
    /// Where clients connect, as [`Options::host`]; any address, if it is `None`.
    pub host: Option<String>,
    /// The port; 0 is any free one.
    pub port: u16,
    /// TLS: given unless [`WebSocket::no_tls`] is.
    pub tls: Option<Tls>,
    /// Whether there may be none.
    pub no_tls: bool,
    /// Whether a browser's page has to come from this server.
    pub same_origin: bool,
    /// Where else a browser's page may come from, `SCHEME://HOST[:PORT]`; anywhere, if the
    /// list is empty.
    pub allowed_origins: Vec<String>,
    /// How long the HTTP part may take: a millisecond to a year.
    pub handshake_timeout: Option<Duration>,
    /// Whether messages are compressed for clients that want it.
    pub compression: bool,
}

/// A hub to be a leaf node of.
#[derive(Debug, Clone, Default)]
pub struct LeafRemote {
    /// Where servers of it are: one at least.
    pub urls: Vec<LeafUrl>,
    /// File with a JWT and the seed of its NKey; not with [`LeafRemote::nkey`].
    pub credentials: Option<PathBuf>,
    /// Seed of the NKey of a user: it has the right form, but its checksum is not looked at.
    pub nkey: Option<Secret>,
    /// TLS, which the hub has to have then.
    pub tls: Option<LeafRemoteTls>,
    /// Subjects that are not taken from the hub.
    pub deny_imports: Vec<String>,
    /// Subjects that are not given to the hub.
    pub deny_exports: Vec<String>,
}

/// TLS to a hub. Paths are taken from the working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeafRemoteTls {
    /// Who vouches for the hub, in PEM; those that the system trusts, if it is `None`.
    pub ca_file: Option<PathBuf>,
    /// The own certificate, in PEM.
    pub cert_file: Option<PathBuf>,
    /// Its private key, in PEM: given if [`LeafRemoteTls::cert_file`] is.
    pub key_file: Option<PathBuf>,
    /// Whether the handshake comes before INFO.
    pub handshake_first: bool,
}

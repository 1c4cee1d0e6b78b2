//! The options that a configuration can set.

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

/// The options of a configuration. An option that is not set is `None`, and so is a 0 that stands
/// for nats-server's default.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address for clients: a name or an IP address without brackets.
    pub host: Option<String>,
    /// The port for clients; 0 means any free port.
    pub port: Option<u16>,
    /// The server's display name.
    pub server_name: Option<String>,
    /// The address for monitoring, in the form of [`Options::host`], which is used if this is
    /// `None`.
    pub http_host: Option<String>,
    /// The port for monitoring, which is off if this is `None`; 0 means any free port.
    pub http_port: Option<u16>,
    /// The prefix of the monitoring paths: `/`, or `/NAME` without a `/` at its end.
    pub http_base_path: Option<String>,
    /// Whether debug messages are logged.
    pub debug: Option<bool>,
    /// Whether the server logs what clients send.
    pub trace: Option<bool>,
    /// The log file, relative to the working directory.
    pub log_file: Option<PathBuf>,
    /// The file for the process id, relative to the working directory.
    pub pid_file: Option<PathBuf>,
    /// The folder for a file that lists the server's ports, relative to the working directory.
    pub ports_file_dir: Option<PathBuf>,
    /// Longest protocol line in bytes: 64 to 32768.
    pub max_control_line: Option<u32>,
    /// Largest payload of a message in bytes: 1 to 999999999, and no more than
    /// [`Options::max_pending`] or its default.
    pub max_payload: Option<u32>,
    /// Most pending output bytes of a connection: 1024 to 2^31.
    pub max_pending: Option<u32>,
    /// Most concurrent connections: at least 1, `usize::MAX` for no limit.
    pub max_connections: Option<usize>,
    /// Most subscriptions of a connection; 0 means no limit.
    pub max_subscriptions: Option<usize>,
    /// Most tokens in the subject of a subscription: 1 to 255.
    pub max_sub_tokens: Option<u8>,
    /// Whether clients cannot send and receive headers.
    pub no_header_support: Option<bool>,
    /// How long a connection may be idle before the server sends PING: a millisecond to a year.
    pub ping_interval: Option<Duration>,
    /// How many PINGs may be unanswered.
    pub ping_max: Option<u32>,
    /// How long a byte may be pending for a connection: a millisecond to a year.
    pub write_deadline: Option<Duration>,
    /// How long lame duck mode takes: 30 s or more.
    pub lame_duck_duration: Option<Duration>,
    /// How much of that time clients have to leave by themselves: less than
    /// [`Options::lame_duck_duration`] or its default.
    pub lame_duck_grace_period: Option<Duration>,
    /// The user for clients without credentials: one of [`Authorization::users`].
    pub no_auth_user: Option<String>,
    /// Whether clients may connect without TLS where it is configured.
    pub allow_non_tls: Option<bool>,
    /// TLS for clients.
    pub tls: Option<Tls>,
    /// Who may connect.
    pub authorization: Option<Authorization>,
    /// The WebSocket listener.
    pub websocket: Option<WebSocket>,
    /// The hub to connect to as a leaf node.
    pub leaf_remote: Option<LeafRemote>,
}

/// TLS of a listener. Paths are relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, in PEM.
    pub cert_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
    /// The CA certificates for client certificates, in PEM: used only with [`Tls::verify`], which
    /// requires it.
    pub ca_file: Option<PathBuf>,
    /// Whether clients need a certificate.
    pub verify: bool,
    /// How long the handshake may take: a millisecond to a year.
    pub timeout: Option<Duration>,
    /// Whether the handshake comes before INFO.
    pub handshake_first: HandshakeFirst,
    /// The lowest version allowed.
    pub min_version: Option<TlsVersion>,
}

/// Whether the TLS handshake comes before INFO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HandshakeFirst {
    /// INFO comes first.
    #[default]
    No,
    /// The handshake always comes first.
    Yes,
    /// The handshake comes first if the client begins it within this time.
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
    /// How long a client may take to send its credentials: a millisecond to a year.
    pub timeout: Option<Duration>,
    /// The users. Their public NKeys have the right form; the checksums are not verified.
    pub users: Vec<User>,
}

/// A WebSocket listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocket {
    /// The address, in the form of [`Options::host`]; `None` means any address.
    pub host: Option<String>,
    /// The port; 0 means any free port.
    pub port: u16,
    /// TLS: set unless [`WebSocket::no_tls`] is.
    pub tls: Option<Tls>,
    /// Whether the listener may do without TLS.
    pub no_tls: bool,
    /// Whether the origin of a web page must be this server.
    pub same_origin: bool,
    /// Other allowed origins of web pages, `SCHEME://HOST[:PORT]`; an empty list allows every
    /// origin.
    pub allowed_origins: Vec<String>,
    /// How long the HTTP upgrade may take: a millisecond to a year.
    pub handshake_timeout: Option<Duration>,
    /// Whether messages are compressed for clients that ask for it.
    pub compression: bool,
}

/// A hub to connect to as a leaf node.
#[derive(Debug, Clone, Default)]
pub struct LeafRemote {
    /// The hub's servers: at least one.
    pub urls: Vec<LeafUrl>,
    /// File with a JWT and the seed of its NKey; excludes [`LeafRemote::nkey`].
    pub credentials: Option<PathBuf>,
    /// Seed of a user's NKey. It has the right form; the checksum is not verified.
    pub nkey: Option<Secret>,
    /// TLS; if it is set, the hub must use TLS.
    pub tls: Option<LeafRemoteTls>,
    /// Subjects that are not imported from the hub.
    pub deny_imports: Vec<String>,
    /// Subjects that are not exported to the hub.
    pub deny_exports: Vec<String>,
}

/// TLS to a hub. Paths are relative to the working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeafRemoteTls {
    /// The CA certificates for the hub, in PEM; `None` means those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, in PEM.
    pub cert_file: Option<PathBuf>,
    /// Its private key, in PEM: set if [`LeafRemoteTls::cert_file`] is.
    pub key_file: Option<PathBuf>,
    /// Whether the handshake comes before INFO.
    pub handshake_first: bool,
}

//! The configuration of a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::leaf::Leaf;
use super::origin::Origin;
use super::users::User;
use broker_protocol::Limits;

/// The longest time in a configuration, about a century: it can be added to any point in time.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// The configuration of a server. The [default](Config::default) is that of `broker serve`. A time
/// of more than a century counts as one, so that [`Duration::MAX`] means "never".
#[derive(Debug, Clone)]
pub struct Config {
    /// The address for clients; port 0 means any free port.
    pub listen: SocketAddr,
    /// The address for monitoring, if it is on.
    pub http: Option<SocketAddr>,
    /// The prefix of the monitoring paths, for example `/nats`; none if it is empty or `/`.
    pub http_base_path: String,
    /// Number of worker threads; 0 counts as 1.
    pub workers: usize,
    /// The server's display name.
    pub name: Option<String>,
    /// The credentials that clients need.
    pub credentials: Credentials,
    /// The hub to connect to as a leaf node.
    pub leaf: Option<Leaf>,
    /// Files for TLS, if clients use it.
    pub tls: Option<TlsFiles>,
    /// How TLS connections begin.
    pub tls_start: TlsStart,
    /// The port for WebSocket clients.
    pub websocket: Option<WebSocketConfig>,
    /// Limits on what one client may send.
    pub limits: Limits,
    /// Most concurrent connections.
    pub max_connections: usize,
    /// Most subscriptions of a connection; 0 means no limit.
    pub max_subscriptions: usize,
    /// Most tokens in the subject of a subscription; 0 means no limit.
    pub max_subscription_tokens: usize,
    /// Whether clients can send and receive headers.
    pub headers: bool,
    /// Most pending output bytes of a connection.
    pub max_pending: usize,
    /// Most memory held for all clients, in bytes.
    pub max_memory: usize,
    /// How long a connection may be idle before the server sends PING.
    pub ping_interval: Duration,
    /// How many PINGs may be unanswered.
    pub max_pings_out: u32,
    /// How long a client may take for the TLS handshake.
    pub tls_timeout: Duration,
    /// How long a client may take to send its credentials, after the TLS handshake.
    pub auth_timeout: Duration,
    /// How long a byte may be pending for a connection.
    pub write_deadline: Duration,
    /// How long the drain may take.
    pub drain_timeout: Duration,
    /// Time from the start of lame duck mode by which all connections are closed. If it is not
    /// longer than the grace period, one second after the grace period.
    pub lame_duck_duration: Duration,
    /// Time between the start of lame duck mode and the first closed connection.
    pub lame_duck_grace_period: Duration,
    /// Functions of the program's allocator.
    pub allocator: Allocator,
}

impl Default for Config {
    /// The defaults of `broker serve`: 127.0.0.1:4222 without credentials, with one worker per CPU
    /// and the limits in its `--help`.
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 4222).into(),
            http: None,
            http_base_path: String::new(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            name: None,
            credentials: Credentials::None,
            leaf: None,
            tls: None,
            tls_start: TlsStart::default(),
            websocket: None,
            limits: Limits {
                max_control_line: 4096,
                max_payload: 1 << 20,
            },
            max_connections: 65_536,
            max_subscriptions: 65_536,
            max_subscription_tokens: 0,
            headers: true,
            max_pending: 64 << 20,
            max_memory: 1 << 30,
            ping_interval: Duration::from_mins(2),
            max_pings_out: 2,
            tls_timeout: Duration::from_secs(2),
            auth_timeout: Duration::from_secs(2),
            write_deadline: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
            lame_duck_duration: Duration::from_mins(2),
            lame_duck_grace_period: Duration::from_secs(10),
            allocator: Allocator::default(),
        }
    }
}

impl Config {
    /// Returns the configuration with no time beyond [`LONGEST`].
    pub(crate) fn bounded(mut self) -> Self {
        let times = [
            &mut self.ping_interval,
            &mut self.tls_timeout,
            &mut self.auth_timeout,
            &mut self.write_deadline,
            &mut self.drain_timeout,
            &mut self.lame_duck_duration,
            &mut self.lame_duck_grace_period,
        ];
        let upgrade = self.websocket.as_mut();
        let upgrade = upgrade.map(|websocket| &mut websocket.handshake_timeout);
        let delay = match &mut self.tls_start.first {
            First::Auto(delay) => Some(delay),
            First::Never | First::Always => None,
        };
        for time in times.into_iter().chain(upgrade).chain(delay) {
            *time = LONGEST.min(*time);
        }
        self
    }
}

/// Functions of the program's allocator, which a library cannot see.
#[derive(Debug, Clone, Copy)]
pub struct Allocator {
    /// Called about once a second; `None` if freed memory returns to the system anyway.
    pub upkeep: Option<fn()>,
    /// Returns the allocator's statistics, names and bytes, for `/metrics`.
    pub figures: fn() -> Vec<(&'static str, u64)>,
}

impl Default for Allocator {
    /// An allocator without upkeep and statistics.
    fn default() -> Self {
        Self {
            upkeep: None,
            figures: Vec::new,
        }
    }
}

/// The files of `--tls-cert`, `--tls-key` and `--tls-ca`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The CA certificates for client certificates. If set, clients need a certificate.
    pub ca: Option<PathBuf>,
    /// Disallows TLS 1.2.
    pub only_tls13: bool,
}

/// How a connection begins at a port with TLS.
#[derive(Debug, Clone, Copy, Default)]
pub struct TlsStart {
    /// Whether the handshake comes before INFO.
    pub first: First,
    /// Allows a client to continue in plaintext after INFO, unless TLS always comes first.
    pub allow_clear: bool,
}

impl TlsStart {
    /// Returns whether a client may continue without TLS after INFO.
    pub(crate) fn allows_clear(&self) -> bool {
        self.allow_clear && self.first != First::Always
    }
}

/// Whether TLS comes before INFO: `handshake_first` of nats-server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum First {
    /// INFO comes first, in plaintext.
    #[default]
    Never,
    /// TLS comes first, and INFO after the handshake.
    Always,
    /// TLS comes first if the client begins it within this time, else INFO.
    Auto(Duration),
}

impl First {
    /// nats-server's default delay.
    pub const DELAY: Duration = Duration::from_millis(50);
}

/// A port for WebSocket clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// The address; port 0 means any free port.
    pub listen: SocketAddr,
    /// Files for TLS; `None` means plaintext.
    pub tls: Option<TlsFiles>,
    /// The origin of a web page must be the host and port that it connects to.
    pub same_origin: bool,
    /// Allowed origins of web pages; an empty list allows every origin.
    pub allowed_origins: Vec<Origin>,
    /// Whether messages are compressed for clients that support it.
    pub compression: bool,
    /// How long a client may take to send its upgrade request.
    pub handshake_timeout: Duration,
}

/// The credentials that a client needs.
///
/// A token or password that looks like a bcrypt hash is treated as one, as in nats-server.
#[derive(Clone)]
pub enum Credentials {
    /// No credentials.
    None,
    /// A token.
    Token(String),
    /// A name and a password.
    User(String, String),
    /// The credentials of one of several users.
    Users {
        /// The users.
        users: Vec<User>,
        /// The user of clients without credentials (`no_auth_user`).
        guest: Option<String>,
    },
}

// Secrets do not belong in logs.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token",
            Self::User(..) => "User",
            Self::Users { .. } => "Users",
        })
    }
}

impl Credentials {
    /// Returns whether clients need credentials.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        !matches!(self, Self::None | Self::Users { guest: Some(_), .. })
    }
}

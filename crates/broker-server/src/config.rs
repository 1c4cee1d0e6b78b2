//! What a server can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::leaf::Leaf;
use super::origin::Origin;
use super::users::User;
use broker_protocol::Limits;

/// All of it. Its [default](Config::default) is that of `broker serve`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients connect; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where monitoring is served, if it is.
    pub http: Option<SocketAddr>,
    /// What the paths of the monitoring's pages begin with, such as `/nats`; nothing, if it
    /// is empty or `/`.
    pub http_base_path: String,
    /// Threads that serve clients; 0 counts as 1.
    pub workers: usize,
    /// Name of the server, for people.
    pub name: Option<String>,
    /// What clients must know.
    pub credentials: Credentials,
    /// The hub to be a leaf node of, if there is one.
    pub leaf: Option<Leaf>,
    /// Files for TLS, if it is asked of clients.
    pub tls: Option<TlsFiles>,
    /// How connections with TLS begin.
    pub tls_start: TlsStart,
    /// Where clients connect by WebSocket, if they can.
    pub websocket: Option<WebSocketConfig>,
    /// Bounds on what one client may send.
    pub limits: Limits,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Most subscriptions of a connection; 0 is any number.
    pub max_subscriptions: usize,
    /// Most tokens of a subject that is subscribed to; 0 is any number.
    pub max_subscription_tokens: usize,
    /// Most bytes that may wait for a connection.
    pub max_pending: usize,
    /// Most memory held for clients in all, in bytes.
    pub max_memory: usize,
    /// How long a connection may be quiet before it is asked whether it lives.
    pub ping_interval: Duration,
    /// How many such questions may be without answer.
    pub max_pings_out: u32,
    /// How long a client may take for its credentials, and for the TLS handshake.
    pub auth_timeout: Duration,
    /// How long a byte may wait for a connection.
    pub write_deadline: Duration,
    /// How long the end of the server may take.
    pub drain_timeout: Duration,
    /// How long a lame duck takes at most to close its connections, from its beginning.
    /// If it is not longer than the grace period, a second after that.
    pub lame_duck_duration: Duration,
    /// How long a lame duck waits before it closes the first connection.
    pub lame_duck_grace_period: Duration,
    /// What the program's allocator is asked.
    pub allocator: Allocator,
}

impl Default for Config {
    /// The defaults of `broker serve`: a server at 127.0.0.1:4222 without credentials, with
    /// a worker for each CPU and the bounds of its `--help`.
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
            max_pending: 64 << 20,
            max_memory: 1 << 30,
            ping_interval: Duration::from_mins(2),
            max_pings_out: 2,
            auth_timeout: Duration::from_secs(2),
            write_deadline: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
            lame_duck_duration: Duration::from_mins(2),
            lame_duck_grace_period: Duration::from_secs(10),
            allocator: Allocator::default(),
        }
    }
}

/// What the allocator of the program, which no library can see, has to be asked.
#[derive(Debug, Clone, Copy)]
pub struct Allocator {
    /// Called about every second, if memory that was freed would not go back to the
    /// system otherwise.
    pub upkeep: Option<fn()>,
    /// What it says of its memory, names and bytes, for `/metrics`.
    pub figures: fn() -> Vec<(&'static str, u64)>,
}

impl Default for Allocator {
    /// One that needs no care and does not tell.
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
    /// The certificate and those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who vouches for clients; they need a certificate if it is given.
    pub ca: Option<PathBuf>,
    /// TLS 1.2 is refused.
    pub only_tls13: bool,
}

/// How a connection begins at a port with TLS.
#[derive(Debug, Clone, Copy, Default)]
pub struct TlsStart {
    /// Who speaks first.
    pub first: First,
    /// A client may go on in clear after INFO, unless TLS always comes first.
    pub allow_clear: bool,
}

impl TlsStart {
    /// Whether INFO may be followed by something else than TLS.
    pub(crate) fn allows_clear(&self) -> bool {
        self.allow_clear && self.first != First::Always
    }
}

/// Whether TLS comes before INFO: `handshake_first` of nats-server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum First {
    /// INFO comes first, in clear.
    #[default]
    Never,
    /// TLS comes first, and INFO after its handshake.
    Always,
    /// TLS comes first if the client begins it within this time, else INFO.
    Auto(Duration),
}

impl First {
    /// The time that nats-server waits if none is said.
    pub const DELAY: Duration = Duration::from_millis(50);
}

/// A port for clients by WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// Where they connect; port 0 is any free one.
    pub listen: SocketAddr,
    /// Files for TLS; without them it is in clear.
    pub tls: Option<TlsFiles>,
    /// Web pages have to be from the host and port that they connect to.
    pub same_origin: bool,
    /// Web pages have to be from one of these; from any, if there is none.
    pub allowed_origins: Vec<Origin>,
    /// Whether messages are compressed for clients that can it.
    pub compression: bool,
    /// How long a client may take until its request to upgrade has come.
    pub handshake_timeout: Duration,
}

/// What a client must know to be let in.
///
/// A token or password that looks like a bcrypt hash is the hash of it, as with
/// nats-server.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// A token.
    Token(String),
    /// A name and a password.
    User(String, String),
    /// Those of one of several users.
    Users {
        /// The users.
        users: Vec<User>,
        /// The name of the user that a client is who gives no credentials at all
        /// (`no_auth_user`).
        guest: Option<String>,
    },
}

// Secrets do not belong into logs.
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
    /// Whether a client needs any.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        !matches!(self, Self::None | Self::Users { guest: Some(_), .. })
    }
}

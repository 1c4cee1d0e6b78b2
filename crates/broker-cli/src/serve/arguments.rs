//! The flags of `broker serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use broker_server::{BadOrigin, First, Origin, may_be_denied};
use clap::{Args, ValueEnum};

use super::lookup::look_up;
use super::nats_flags::NatsFlags;
use super::send_signal::Order;

/// Notes at the end of the help.
const NOTES: &str = "\
The process takes at most 32 MiB + --workers x 16 MiB + 1.25 x --max-memory of memory.

Signals:
  SIGTERM, SIGINT  drain and exit; a second signal exits at once
  SIGUSR2          lame duck mode: disconnect clients one by one, then drain and exit
  SIGUSR1          reopen the log file
  SIGHUP           reload the configuration file: users, permissions, TLS files and limits
                   change, and connections that are still allowed stay open";

/// Arguments of `broker serve`.
#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(after_help = NOTES)]
pub(crate) struct Arguments {
    /// Configuration file in nats-server's format; flags and environment variables override it
    #[arg(short, long, env = "BROKER_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Ignore these options of the configuration file, which Broker does not have: for example
    /// jetstream or leafnodes.listen
    #[arg(long, env = "BROKER_CONFIG_IGNORE", value_name = "OPTION", value_delimiter = ',', value_parser = ignorable)]
    pub(super) config_ignore: Vec<String>,
    /// Check the configuration file and exit
    #[arg(short = 't', long = "test", requires = "config")]
    pub(super) test: bool,
    /// Address for clients. Port 0 chooses a free port; 0.0.0.0 and [::] are all IPv4 and
    /// IPv6 addresses [default: 127.0.0.1:4222; with --config or as nats-server, 0.0.0.0:4222]
    #[arg(long, env = "BROKER_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) listen: Option<SocketAddr>,
    /// Address for monitoring by HTTP: /healthz, /varz, /metrics and others [default: none]
    #[arg(long, env = "BROKER_HTTP", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) http: Option<SocketAddr>,
    /// Worker threads, each with its own event loop [default: one for each CPU]
    #[arg(long, env = "BROKER_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) workers: Option<u16>,
    /// Server name [default: the server's random id]
    #[arg(
        short,
        long,
        visible_alias = "server_name",
        env = "BROKER_NAME",
        value_name = "NAME"
    )]
    pub(super) name: Option<String>,
    /// User name that clients must give
    #[arg(long, env = "BROKER_USER", value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Password of the user
    #[arg(
        long,
        visible_alias = "pass",
        env = "BROKER_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    pub(super) password: Option<String>,
    /// File with the password of the user
    #[arg(
        long,
        env = "BROKER_PASSWORD_FILE",
        value_name = "FILE",
        conflicts_with = "password"
    )]
    pub(super) password_file: Option<PathBuf>,
    /// Token that clients must give instead of a user name and password
    #[arg(long, visible_alias = "auth", env = "BROKER_TOKEN", value_name = "TOKEN", hide_env_values = true, conflicts_with_all = ["user", "password", "password_file"])]
    pub(super) token: Option<String>,
    /// File with the token
    #[arg(long, env = "BROKER_TOKEN_FILE", value_name = "FILE", conflicts_with_all = ["token", "user", "password", "password_file"])]
    pub(super) token_file: Option<PathBuf>,
    /// Server certificate file (PEM); turns TLS on
    #[arg(
        long,
        env = "BROKER_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub(super) tls_cert: Option<PathBuf>,
    /// Server private key file (PEM)
    #[arg(
        long,
        env = "BROKER_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub(super) tls_key: Option<PathBuf>,
    /// Certificate authorities file (PEM) for client certificates, which clients then need
    #[arg(
        long,
        env = "BROKER_TLS_CA",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub(super) tls_ca: Option<PathBuf>,
    /// Start the TLS handshake before INFO, which older clients do not support. `auto` sends
    /// INFO first to a client that does not start the handshake within 0.05 seconds, a number
    /// within that many seconds
    #[arg(long, env = "BROKER_TLS_HANDSHAKE_FIRST", value_name = "always|auto|SECONDS", num_args = 0..=1, default_missing_value = "always", requires = "tls_cert", value_parser = first)]
    pub(super) tls_handshake_first: Option<First>,
    /// Time limit for a client's TLS handshake [default: 2]
    #[arg(long, env = "BROKER_TLS_TIMEOUT", value_name = "SECONDS", requires = "tls_cert", value_parser = seconds)]
    pub(super) tls_timeout: Option<Duration>,
    /// Also accept clients without TLS
    #[arg(long, env = "BROKER_TLS_ALLOW_CLEAR", requires = "tls_cert")]
    pub(super) tls_allow_clear: bool,
    /// Address for WebSocket clients, such as web pages [default: none]
    #[arg(long, env = "BROKER_WEBSOCKET", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) websocket: Option<SocketAddr>,
    /// WebSocket certificate file (PEM); turns wss:// on
    #[arg(long, env = "BROKER_WEBSOCKET_TLS_CERT", value_name = "FILE", requires_all = ["websocket", "websocket_tls_key"])]
    pub(super) websocket_tls_cert: Option<PathBuf>,
    /// WebSocket private key file (PEM)
    #[arg(
        long,
        env = "BROKER_WEBSOCKET_TLS_KEY",
        value_name = "FILE",
        requires = "websocket_tls_cert"
    )]
    pub(super) websocket_tls_key: Option<PathBuf>,
    /// Accept web pages only from the host and port that they connect to
    #[arg(long, env = "BROKER_WEBSOCKET_SAME_ORIGIN", requires = "websocket")]
    pub(super) websocket_same_origin: bool,
    /// Accept web pages only from these origins [default: any]
    #[arg(long, env = "BROKER_WEBSOCKET_ALLOWED_ORIGIN", value_name = "http[s]://HOST[:PORT]", value_delimiter = ',', requires = "websocket", value_parser = origin)]
    pub(super) websocket_allowed_origin: Vec<Origin>,
    /// Compress WebSocket messages of at least 64 bytes for clients that offer it
    #[arg(long, env = "BROKER_WEBSOCKET_COMPRESSION", requires = "websocket")]
    pub(super) websocket_compression: bool,
    /// Time limit for a WebSocket client's upgrade request, and for TLS before it [default: 2]
    #[arg(long, env = "BROKER_WEBSOCKET_HANDSHAKE_TIMEOUT", value_name = "SECONDS", requires = "websocket", value_parser = seconds)]
    pub(super) websocket_handshake_timeout: Option<Duration>,
    /// Connect as a leaf node to this NATS server, or to the cluster that these servers form.
    /// The default port is 7422 [default: none]
    #[arg(
        long,
        env = "BROKER_LEAF",
        value_name = "nats-leaf://[USER:PASSWORD@|TOKEN@]HOST[:PORT]",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(super) leaf: Vec<String>,
    /// Credentials file for the hub: a JWT and the seed of its NKey (.creds)
    #[arg(
        long,
        env = "BROKER_LEAF_CREDENTIALS",
        value_name = "FILE",
        requires = "leaf"
    )]
    pub(super) leaf_credentials: Option<PathBuf>,
    /// NKey seed file for the hub
    #[arg(
        long,
        env = "BROKER_LEAF_NKEY",
        value_name = "FILE",
        requires = "leaf",
        conflicts_with = "leaf_credentials"
    )]
    pub(super) leaf_nkey: Option<PathBuf>,
    /// Certificate authorities file (PEM) for the hub's certificate
    /// [default: the system's authorities]
    #[arg(
        long,
        env = "BROKER_LEAF_TLS_CA",
        value_name = "FILE",
        requires = "leaf"
    )]
    pub(super) leaf_tls_ca: Option<PathBuf>,
    /// Client certificate file (PEM) for a hub that asks for one
    #[arg(long, env = "BROKER_LEAF_TLS_CERT", value_name = "FILE", requires_all = ["leaf", "leaf_tls_key"])]
    pub(super) leaf_tls_cert: Option<PathBuf>,
    /// Private key file (PEM) of that certificate
    #[arg(
        long,
        env = "BROKER_LEAF_TLS_KEY",
        value_name = "FILE",
        requires = "leaf_tls_cert"
    )]
    pub(super) leaf_tls_key: Option<PathBuf>,
    /// Start the TLS handshake with the hub before INFO; the hub must be configured for it
    #[arg(long, env = "BROKER_LEAF_TLS_FIRST", requires = "leaf")]
    pub(super) leaf_tls_first: bool,
    /// Do not import messages on these subjects from the hub
    #[arg(long, env = "BROKER_LEAF_DENY_IMPORT", value_name = "SUBJECT", value_delimiter = ',', requires = "leaf", value_parser = subject)]
    pub(super) leaf_deny_import: Vec<String>,
    /// Do not export messages on these subjects to the hub
    #[arg(long, env = "BROKER_LEAF_DENY_EXPORT", value_name = "SUBJECT", value_delimiter = ',', requires = "leaf", value_parser = subject)]
    pub(super) leaf_deny_export: Vec<String>,
    /// Maximum payload of a message [default: 1048576]
    #[arg(long, env = "BROKER_MAX_PAYLOAD", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=999_999_999))]
    pub(super) max_payload: Option<u32>,
    /// Maximum length of a protocol line [default: 4096]
    #[arg(long, env = "BROKER_MAX_CONTROL_LINE", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(64..=32_768))]
    pub(super) max_control_line: Option<u32>,
    /// Maximum number of client connections [default: 65536]
    #[arg(long, env = "BROKER_MAX_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: Option<u32>,
    /// Maximum number of subscriptions per connection; 0 is no limit [default: 65536]
    #[arg(long, env = "BROKER_MAX_SUBSCRIPTIONS", value_name = "N")]
    pub(super) max_subscriptions: Option<u32>,
    /// Maximum pending output of a connection, beyond which it is disconnected as a slow
    /// consumer [default: 67108864]
    #[arg(long, env = "BROKER_MAX_PENDING", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1024..=2_147_483_648))]
    pub(super) max_pending: Option<u32>,
    /// Maximum memory for all clients: pending output, incomplete input and subscriptions.
    /// Beyond it, the client that holds most is disconnected [default: 1073741824]
    #[arg(long, env = "BROKER_MAX_MEMORY", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(16 << 20..))]
    pub(super) max_memory: Option<u64>,
    /// Send a PING to a connection that was idle for this time [default: 120]
    #[arg(long, env = "BROKER_PING_INTERVAL", value_name = "SECONDS", value_parser = seconds)]
    pub(super) ping_interval: Option<Duration>,
    /// Disconnect after this number of unanswered PINGs [default: 2]
    #[arg(long, env = "BROKER_MAX_PINGS_OUT", value_name = "N")]
    pub(super) max_pings_out: Option<u32>,
    /// Time limit for a client's credentials, after the TLS handshake [default: 2; with TLS, 1
    /// more than --tls-timeout]
    #[arg(long, env = "BROKER_AUTH_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    pub(super) auth_timeout: Option<Duration>,
    /// Disconnect a client as a slow consumer when its output makes no progress for this time
    /// [default: 10]
    #[arg(long, env = "BROKER_WRITE_DEADLINE", value_name = "SECONDS", value_parser = seconds)]
    pub(super) write_deadline: Option<Duration>,
    /// Time limit for writing pending output when the server drains [default: 10]
    #[arg(long, env = "BROKER_DRAIN_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    pub(super) drain_timeout: Option<Duration>,
    /// Time in which lame duck mode closes all connections, grace period included
    /// [default: 120]
    #[arg(long, env = "BROKER_LAME_DUCK_DURATION", value_name = "SECONDS", value_parser = seconds)]
    pub(super) lame_duck_duration: Option<Duration>,
    /// Time that lame duck mode waits before it closes the first connection [default: 10]
    #[arg(long, env = "BROKER_LAME_DUCK_GRACE_PERIOD", value_name = "SECONDS", value_parser = seconds)]
    pub(super) lame_duck_grace_period: Option<Duration>,
    /// Log level; `trace` logs the protocol lines of clients [default: info]
    #[arg(long, env = "BROKER_LOG_LEVEL", value_name = "LEVEL")]
    pub(super) log_level: Option<Level>,
    /// Log format
    #[arg(
        long,
        env = "BROKER_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(super) log_format: Format,
    /// Log file, instead of standard error; SIGUSR1 reopens it
    #[arg(short = 'l', long, env = "BROKER_LOG", value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Write the process id to this file while the server listens
    #[arg(short = 'P', long, env = "BROKER_PID", value_name = "FILE")]
    pub(super) pid: Option<PathBuf>,
    /// Signal a running server and exit: ldm, stop, quit, term, reopen or reload. Without a
    /// process id or pid file, the only running server; -sl is the same
    #[arg(long, visible_alias = "sl", value_name = "SIGNAL[=PID|=FILE]")]
    pub(super) signal: Option<Order>,
    #[command(flatten)]
    pub(super) nats: NatsFlags,
}

/// A log level.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// A log format.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    /// nats-server's format.
    Nats,
}

/// Reads an address with a port, and resolves a host name.
fn address(text: &str) -> Result<SocketAddr, String> {
    look_up(text).map_err(|error| error.to_string())
}

/// Reads a time in seconds, between a millisecond and a year.
fn seconds(text: &str) -> Result<Duration, String> {
    const YEAR: f64 = 365.0 * 86_400.0;
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    if (0.001..=YEAR).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must be between 0.001 seconds and a year".into())
    }
}

fn first(text: &str) -> Result<First, String> {
    match text {
        "always" => Ok(First::Always),
        "auto" => Ok(First::Auto(First::DELAY)),
        delay => match seconds(delay) {
            Ok(delay) => Ok(First::Auto(delay)),
            Err(error) => Err(format!("must be `always`, `auto` or a time: {error}")),
        },
    }
}

fn ignorable(text: &str) -> Result<String, &'static str> {
    // An empty variable names none.
    if text.is_empty() || broker_config::can_be_ignored(text) {
        Ok(text.to_owned())
    } else {
        Err("not an option that can be ignored; write its full name, such as leafnodes.listen")
    }
}

fn origin(text: &str) -> Result<Origin, BadOrigin> {
    text.parse()
}

fn subject(text: &str) -> Result<String, &'static str> {
    if may_be_denied(text) {
        Ok(text.to_owned())
    } else {
        Err("invalid subject: tokens must not be empty, and > must be the last token")
    }
}

//! The flags of `broker serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use broker_server::{BadOrigin, First, Origin, may_be_denied};
use clap::{Args, ValueEnum};

use super::lookup::look_up;
use super::nats_flags::NatsFlags;
use super::send_signal::Order;

/// What belongs to no single flag.
const NOTES: &str = "\
Memory of the process at its peak: at most 32 MiB + --workers x 16 MiB + 1.25 x --max-memory.

Signals: SIGTERM and SIGINT drain and end the server, a second one ends it at once. SIGUSR2 has it \
send its clients to other servers first (lame duck mode). \
SIGUSR1 has the file of --log opened again. SIGHUP has the file of --config read again: users, \
permissions, files for TLS and limits change, and no connection is lost that is still allowed.";

/// Arguments of `broker serve`.
#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(after_help = NOTES)]
pub(crate) struct Arguments {
    /// Configuration file in the format of nats-server; flags and variables are over it
    #[arg(short, long, env = "BROKER_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Options of the configuration file that Broker does not have and is to ignore, such as
    /// jetstream or leafnodes.listen
    #[arg(long, env = "BROKER_CONFIG_IGNORE", value_name = "OPTION", value_delimiter = ',', value_parser = ignorable)]
    pub(super) config_ignore: Vec<String>,
    /// Check the configuration file, and end
    #[arg(short = 't', long = "test", requires = "config")]
    pub(super) test: bool,
    /// Address to listen at for clients; port 0 is any free one, [::] every address of
    /// IPv6 and IPv4, 0.0.0.0 every address of IPv4 alone [default: 127.0.0.1:4222]
    #[arg(long, env = "BROKER_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) listen: Option<SocketAddr>,
    /// Address to serve /healthz, /varz and /metrics at [default: none]
    #[arg(long, env = "BROKER_HTTP", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) http: Option<SocketAddr>,
    /// Threads that serve clients [default: one for each CPU]
    #[arg(long, env = "BROKER_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) workers: Option<u16>,
    /// Name of the server [default: its random id]
    #[arg(
        short,
        long,
        visible_alias = "server_name",
        env = "BROKER_NAME",
        value_name = "NAME"
    )]
    pub(super) name: Option<String>,
    /// User that clients have to give
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
    /// Token that clients have to give in the place of user and password
    #[arg(long, visible_alias = "auth", env = "BROKER_TOKEN", value_name = "TOKEN", hide_env_values = true, conflicts_with_all = ["user", "password", "password_file"])]
    pub(super) token: Option<String>,
    /// File with the token
    #[arg(long, env = "BROKER_TOKEN_FILE", value_name = "FILE", conflicts_with_all = ["token", "user", "password", "password_file"])]
    pub(super) token_file: Option<PathBuf>,
    /// File with the certificate of the server, in PEM; turns TLS on
    #[arg(
        long,
        env = "BROKER_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub(super) tls_cert: Option<PathBuf>,
    /// File with the private key of the server, in PEM
    #[arg(
        long,
        env = "BROKER_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub(super) tls_key: Option<PathBuf>,
    /// File with the authorities for certificates of clients, in PEM; makes clients need one
    #[arg(
        long,
        env = "BROKER_TLS_CA",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub(super) tls_ca: Option<PathBuf>,
    /// Have TLS come before INFO, which older clients do not understand: always, or with
    /// `auto` (0.05 seconds) or a number of seconds if the client begins it in that time
    #[arg(long, env = "BROKER_TLS_HANDSHAKE_FIRST", value_name = "always|auto|SECONDS", num_args = 0..=1, default_missing_value = "always", requires = "tls_cert", value_parser = first)]
    pub(super) tls_handshake_first: Option<First>,
    /// Let clients do without TLS, too
    #[arg(long, env = "BROKER_TLS_ALLOW_CLEAR", requires = "tls_cert")]
    pub(super) tls_allow_clear: bool,
    /// Address to listen at for clients by WebSocket, such as scripts of web pages
    /// [default: none]
    #[arg(long, env = "BROKER_WEBSOCKET", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) websocket: Option<SocketAddr>,
    /// File with the certificate for that port, in PEM; turns wss:// on there
    #[arg(long, env = "BROKER_WEBSOCKET_TLS_CERT", value_name = "FILE", requires_all = ["websocket", "websocket_tls_key"])]
    pub(super) websocket_tls_cert: Option<PathBuf>,
    /// File with the private key for that port, in PEM
    #[arg(
        long,
        env = "BROKER_WEBSOCKET_TLS_KEY",
        value_name = "FILE",
        requires = "websocket_tls_cert"
    )]
    pub(super) websocket_tls_key: Option<PathBuf>,
    /// Let web pages connect only if they are from the host and port that they connect to
    #[arg(long, env = "BROKER_WEBSOCKET_SAME_ORIGIN", requires = "websocket")]
    pub(super) websocket_same_origin: bool,
    /// Web pages that may connect [default: any]
    #[arg(long, env = "BROKER_WEBSOCKET_ALLOWED_ORIGIN", value_name = "http[s]://HOST[:PORT]", value_delimiter = ',', requires = "websocket", value_parser = origin)]
    pub(super) websocket_allowed_origin: Vec<Origin>,
    /// Compress messages of 64 bytes and more for clients that offer it
    #[arg(long, env = "BROKER_WEBSOCKET_COMPRESSION", requires = "websocket")]
    pub(super) websocket_compression: bool,
    /// How long a client may take until its request to upgrade has come [default:
    /// --auth-timeout]
    #[arg(long, env = "BROKER_WEBSOCKET_HANDSHAKE_TIMEOUT", value_name = "SECONDS", requires = "websocket", value_parser = seconds)]
    pub(super) websocket_handshake_timeout: Option<Duration>,
    /// NATS server or cluster to be a leaf node of [default: none]: several URLs are
    /// servers of one cluster, and the port is 7422 unless given
    #[arg(
        long,
        env = "BROKER_LEAF",
        value_name = "nats-leaf://[USER:PASSWORD@|TOKEN@]HOST[:PORT]",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(super) leaf: Vec<String>,
    /// File with credentials for there: a JWT and the seed of its NKey (a .creds file)
    #[arg(
        long,
        env = "BROKER_LEAF_CREDENTIALS",
        value_name = "FILE",
        requires = "leaf"
    )]
    pub(super) leaf_credentials: Option<PathBuf>,
    /// File with the seed of an NKey for there
    #[arg(
        long,
        env = "BROKER_LEAF_NKEY",
        value_name = "FILE",
        requires = "leaf",
        conflicts_with = "leaf_credentials"
    )]
    pub(super) leaf_nkey: Option<PathBuf>,
    /// File with the authorities for certificates of there, in PEM
    /// [default: those that the
    /// system trusts]
    #[arg(
        long,
        env = "BROKER_LEAF_TLS_CA",
        value_name = "FILE",
        requires = "leaf"
    )]
    pub(super) leaf_tls_ca: Option<PathBuf>,
    /// File with a certificate for there, in PEM, if the hub wants one
    #[arg(long, env = "BROKER_LEAF_TLS_CERT", value_name = "FILE", requires_all = ["leaf", "leaf_tls_key"])]
    pub(super) leaf_tls_cert: Option<PathBuf>,
    /// File with the private key of that certificate, in PEM
    #[arg(
        long,
        env = "BROKER_LEAF_TLS_KEY",
        value_name = "FILE",
        requires = "leaf_tls_cert"
    )]
    pub(super) leaf_tls_key: Option<PathBuf>,
    /// Have TLS come before INFO there, which the hub has to be told too
    #[arg(long, env = "BROKER_LEAF_TLS_FIRST", requires = "leaf")]
    pub(super) leaf_tls_first: bool,
    /// Subjects that are not taken from there
    #[arg(long, env = "BROKER_LEAF_DENY_IMPORT", value_name = "SUBJECT", value_delimiter = ',', requires = "leaf", value_parser = subject)]
    pub(super) leaf_deny_import: Vec<String>,
    /// Subjects that are not given there
    #[arg(long, env = "BROKER_LEAF_DENY_EXPORT", value_name = "SUBJECT", value_delimiter = ',', requires = "leaf", value_parser = subject)]
    pub(super) leaf_deny_export: Vec<String>,
    /// Largest payload of a message [default: 1048576]
    #[arg(long, env = "BROKER_MAX_PAYLOAD", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=999_999_999))]
    pub(super) max_payload: Option<u32>,
    /// Longest line of the protocol [default: 4096]
    #[arg(long, env = "BROKER_MAX_CONTROL_LINE", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(64..=32_768))]
    pub(super) max_control_line: Option<u32>,
    /// Most connections at a time [default: 65536]
    #[arg(long, env = "BROKER_MAX_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: Option<u32>,
    /// Most subscriptions of a connection; 0 is any number [default: 65536]
    #[arg(long, env = "BROKER_MAX_SUBSCRIPTIONS", value_name = "N")]
    pub(super) max_subscriptions: Option<u32>,
    /// Most bytes that may wait for a connection before it is ended as a slow consumer
    /// [default: 67108864]
    #[arg(long, env = "BROKER_MAX_PENDING", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1024..=2_147_483_648))]
    pub(super) max_pending: Option<u32>,
    /// Most memory held for clients in all: what waits for them, what they have half sent,
    /// their subscriptions; beyond it whoever holds the most is ended [default: 1073741824]
    #[arg(long, env = "BROKER_MAX_MEMORY", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(16 << 20..))]
    pub(super) max_memory: Option<u64>,
    /// How long a connection may be quiet before it is sent a PING [default: 120]
    #[arg(long, env = "BROKER_PING_INTERVAL", value_name = "SECONDS", value_parser = seconds)]
    pub(super) ping_interval: Option<Duration>,
    /// How many PINGs may be without answer before a connection is ended [default: 2]
    #[arg(long, env = "BROKER_MAX_PINGS_OUT", value_name = "N")]
    pub(super) max_pings_out: Option<u32>,
    /// How long a client may take to give its credentials [default: 2]
    #[arg(long, env = "BROKER_AUTH_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    pub(super) auth_timeout: Option<Duration>,
    /// How long a byte may wait for a connection before it is ended as a slow consumer
    /// [default: 10]
    #[arg(long, env = "BROKER_WRITE_DEADLINE", value_name = "SECONDS", value_parser = seconds)]
    pub(super) write_deadline: Option<Duration>,
    /// How long clients may take for what waits for them when the server ends [default: 10]
    #[arg(long, env = "BROKER_DRAIN_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    pub(super) drain_timeout: Option<Duration>,
    /// How long a lame duck (SIGUSR2) may take to close its connections, one by one [default: 120]
    #[arg(long, env = "BROKER_LAME_DUCK_DURATION", value_name = "SECONDS", value_parser = seconds)]
    pub(super) lame_duck_duration: Option<Duration>,
    /// How long a lame duck waits before it closes the first one [default: 10]
    #[arg(long, env = "BROKER_LAME_DUCK_GRACE_PERIOD", value_name = "SECONDS", value_parser = seconds)]
    pub(super) lame_duck_grace_period: Option<Duration>,
    /// What to log [default: info]
    #[arg(long, env = "BROKER_LOG_LEVEL", value_name = "LEVEL")]
    pub(super) log_level: Option<Level>,
    /// How to log
    #[arg(
        long,
        env = "BROKER_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(super) log_format: Format,
    /// File to log to, in the place of standard error; SIGUSR1 has it opened again
    #[arg(short = 'l', long, env = "BROKER_LOG", value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// File for the number of the process, while it listens
    #[arg(short = 'P', long, env = "BROKER_PID", value_name = "FILE")]
    pub(super) pid: Option<PathBuf>,
    /// Send a signal to the server that runs, or to that of the number or pid file, and end:
    /// ldm, stop, quit, term, reopen or reload; -sl is the same
    #[arg(long, visible_alias = "sl", value_name = "SIGNAL[=PID|=FILE]")]
    pub(super) signal: Option<Order>,
    #[command(flatten)]
    pub(super) nats: NatsFlags,
}

/// What is logged.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How it is logged.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    /// As nats-server does.
    Nats,
}

/// An address with a port; names are looked up.
fn address(text: &str) -> Result<SocketAddr, String> {
    look_up(text).map_err(|error| error.to_string())
}

/// A time of more than nothing and up to a year, in seconds.
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
            Err(error) => Err(format!("neither `always` nor `auto`, and {error}")),
        },
    }
}

fn ignorable(text: &str) -> Result<String, &'static str> {
    if broker_config::can_be_ignored(text) {
        Ok(text.to_owned())
    } else {
        Err(
            "not an option that can be ignored; write the names of blocks and option, as in leafnodes.listen",
        )
    }
}

fn origin(text: &str) -> Result<Origin, BadOrigin> {
    text.parse()
}

fn subject(text: &str) -> Result<String, &'static str> {
    if may_be_denied(text) {
        Ok(text.to_owned())
    } else {
        Err("no subject: tokens between dots are not empty, and > is the last one")
    }
}

//! `broker serve`.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use broker_protocol::{BadUrl, Limits};
use broker_server::{
    Allocator, Config, Credentials, Leaf, LeafUrl, ProofFile, Server, ServerError, TlsFiles,
    may_be_denied,
};
use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;

use super::log::{Log, Style};

/// What belongs to no single flag.
const NOTES: &str = "\
Memory of the process at its peak: at most 32 MiB + --workers x 16 MiB + 1.25 x --max-memory.

Signals: SIGTERM, SIGINT and SIGUSR2 drain and end the server, a second one ends it at once. \
SIGHUP and SIGUSR1 are logged: there is nothing to reload, and no log file to open again.";

/// Arguments of `broker serve`.
#[derive(Args)]
#[command(after_help = NOTES)]
pub(crate) struct Arguments {
    /// Address to listen at for clients; port 0 is any free one, [::] every address of
    /// IPv6 and IPv4, 0.0.0.0 every address of IPv4 alone
    #[arg(long, env = "BROKER_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:4222", value_parser = address)]
    listen: SocketAddr,
    /// Address to serve /healthz, /varz and /metrics at [default: none]
    #[arg(long, env = "BROKER_HTTP", value_name = "ADDR:PORT", value_parser = address)]
    http: Option<SocketAddr>,
    /// Threads that serve clients [default: one for each CPU]
    #[arg(long, env = "BROKER_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Name of the server [default: its random id]
    #[arg(long, env = "BROKER_NAME", value_name = "NAME")]
    name: Option<String>,
    /// User that clients have to give
    #[arg(long, env = "BROKER_USER", value_name = "NAME")]
    user: Option<String>,
    /// Password of the user
    #[arg(
        long,
        env = "BROKER_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,
    /// File with the password of the user
    #[arg(
        long,
        env = "BROKER_PASSWORD_FILE",
        value_name = "FILE",
        conflicts_with = "password"
    )]
    password_file: Option<PathBuf>,
    /// Token that clients have to give in the place of user and password
    #[arg(long, env = "BROKER_TOKEN", value_name = "TOKEN", hide_env_values = true, conflicts_with_all = ["user", "password", "password_file"])]
    token: Option<String>,
    /// File with the token
    #[arg(long, env = "BROKER_TOKEN_FILE", value_name = "FILE", conflicts_with_all = ["token", "user", "password", "password_file"])]
    token_file: Option<PathBuf>,
    /// File with the certificate of the server, in PEM; turns TLS on
    #[arg(
        long,
        env = "BROKER_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// File with the private key of the server, in PEM
    #[arg(
        long,
        env = "BROKER_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// File with the authorities for certificates of clients, in PEM; makes clients need one
    #[arg(
        long,
        env = "BROKER_TLS_CA",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_ca: Option<PathBuf>,
    /// NATS server or cluster to be a leaf node of [default: none]: several URLs are
    /// servers of one cluster, and the port is 7422 unless given
    #[arg(
        long,
        env = "BROKER_LEAF",
        value_name = "nats-leaf://[USER:PASSWORD@|TOKEN@]HOST[:PORT]",
        value_delimiter = ',',
        hide_env_values = true
    )]
    leaf: Vec<String>,
    /// File with credentials for there: a JWT and the seed of its NKey (a .creds file)
    #[arg(
        long,
        env = "BROKER_LEAF_CREDENTIALS",
        value_name = "FILE",
        requires = "leaf"
    )]
    leaf_credentials: Option<PathBuf>,
    /// File with the seed of an NKey for there
    #[arg(
        long,
        env = "BROKER_LEAF_NKEY",
        value_name = "FILE",
        requires = "leaf",
        conflicts_with = "leaf_credentials"
    )]
    leaf_nkey: Option<PathBuf>,
    /// File with the authorities for certificates of there, in PEM [default: those that the
    /// system trusts]
    #[arg(
        long,
        env = "BROKER_LEAF_TLS_CA",
        value_name = "FILE",
        requires = "leaf"
    )]
    leaf_tls_ca: Option<PathBuf>,
    /// Subjects that are not taken from there
    #[arg(long, env = "BROKER_LEAF_DENY_IMPORT", value_name = "SUBJECT", value_delimiter = ',', requires = "leaf", value_parser = subject)]
    leaf_deny_import: Vec<String>,
    /// Subjects that are not given there
    #[arg(long, env = "BROKER_LEAF_DENY_EXPORT", value_name = "SUBJECT", value_delimiter = ',', requires = "leaf", value_parser = subject)]
    leaf_deny_export: Vec<String>,
    /// Largest payload of a message
    #[arg(long, env = "BROKER_MAX_PAYLOAD", value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1..=999_999_999))]
    max_payload: u32,
    /// Longest line of the protocol
    #[arg(long, env = "BROKER_MAX_CONTROL_LINE", value_name = "BYTES", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(64..=32_768))]
    max_control_line: u32,
    /// Most connections at a time
    #[arg(long, env = "BROKER_MAX_CONNECTIONS", value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
    /// Most subscriptions of a connection; 0 is any number
    #[arg(
        long,
        env = "BROKER_MAX_SUBSCRIPTIONS",
        value_name = "N",
        default_value_t = 65_536
    )]
    max_subscriptions: u32,
    /// Most bytes that may wait for a connection before it is ended as a slow consumer
    #[arg(long, env = "BROKER_MAX_PENDING", value_name = "BYTES", default_value_t = 64 << 20, value_parser = clap::value_parser!(u32).range(1024..=2_147_483_648))]
    max_pending: u32,
    /// Most memory held for clients in all: what waits for them, what they have half sent,
    /// their subscriptions; beyond it whoever holds the most is ended
    #[arg(long, env = "BROKER_MAX_MEMORY", value_name = "BYTES", default_value_t = 1 << 30, value_parser = clap::value_parser!(u64).range(16 << 20..))]
    max_memory: u64,
    /// How long a connection may be quiet before it is sent a PING
    #[arg(long, env = "BROKER_PING_INTERVAL", value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    ping_interval: Duration,
    /// How many PINGs may be without answer before a connection is ended
    #[arg(
        long,
        env = "BROKER_MAX_PINGS_OUT",
        value_name = "N",
        default_value_t = 2
    )]
    max_pings_out: u32,
    /// How long a client may take to give its credentials
    #[arg(long, env = "BROKER_AUTH_TIMEOUT", value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    auth_timeout: Duration,
    /// How long a byte may wait for a connection before it is ended as a slow consumer
    #[arg(long, env = "BROKER_WRITE_DEADLINE", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    write_deadline: Duration,
    /// How long clients may take for what waits for them when the server ends
    #[arg(long, env = "BROKER_DRAIN_TIMEOUT", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    drain_timeout: Duration,
    /// What to log
    #[arg(
        long,
        env = "BROKER_LOG_LEVEL",
        value_name = "LEVEL",
        default_value = "info"
    )]
    log_level: Level,
    /// How to log
    #[arg(
        long,
        env = "BROKER_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    log_format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// An address with a port; names are looked up.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| error.to_string())?;
    found.next().ok_or_else(|| "no address by that name".into())
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

fn subject(text: &str) -> Result<String, &'static str> {
    if may_be_denied(text) {
        Ok(text.to_owned())
    } else {
        Err("no subject: tokens between dots are not empty, and > is the last one")
    }
}

/// What is wrong with arguments that clap cannot judge.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} holds no secret in its first line", .0.display())]
    Empty(PathBuf),
    #[error("--user needs a password; give --password-file, or --password")]
    NoPassword,
    #[error("--password needs a user; give --user")]
    NoUser,
    #[error(
        "a token, user or password is empty, which would let anyone in; give one or leave it out"
    )]
    Nothing,
}

/// The exit code after a panic: Rust's own.
const PANICKED: u8 = 101;

/// Why the program ends with a failure.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("--name {0:?} has a space in it, which a hub (--leaf) does not take; write another")]
    LeafName(String),
    #[error("--leaf {given:?}: {why}; give nats-leaf://USER:PASSWORD@HOST:PORT")]
    LeafUrl { given: String, why: &'static str },
    #[error(transparent)]
    Server(#[from] ServerError),
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let log = match start_log(arguments) {
        Ok(log) => log,
        Err(error) => {
            // With standard error gone, the exit code is all that is left.
            let _ = writeln!(io::stderr(), "broker: cannot start the log: {error}");
            return ExitCode::FAILURE;
        }
    };
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.last(&format!("broker: {error}"));
            match error {
                Failure::Server(ServerError::Panicked(_)) => ExitCode::from(PANICKED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn start_log(arguments: &Arguments) -> io::Result<Log> {
    let level = match arguments.log_level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let style = match arguments.log_format {
        Format::Text => Style::Text,
        Format::Json => Style::Json,
    };
    Log::start(level, style)
}

/// The first line of a file: editors put an end to it.
fn secret_in(path: &Path) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(path).map_err(|source| SecretError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(SecretError::Empty(path.to_owned())),
    }
}

fn credentials(arguments: &Arguments) -> Result<Credentials, SecretError> {
    let secret = |given: &Option<String>, file: &Option<PathBuf>| match (given, file) {
        (Some(given), _) if given.is_empty() => Err(SecretError::Nothing),
        (Some(given), _) => Ok(Some(given.clone())),
        (None, file) => file.as_deref().map(secret_in).transpose(),
    };
    if let Some(token) = secret(&arguments.token, &arguments.token_file)? {
        return Ok(Credentials::Token(token));
    }
    let password = secret(&arguments.password, &arguments.password_file)?;
    match (&arguments.user, password) {
        (None, None) => Ok(Credentials::None),
        (Some(_), None) => Err(SecretError::NoPassword),
        (None, Some(_)) => Err(SecretError::NoUser),
        (Some(user), _) if user.is_empty() => Err(SecretError::Nothing),
        (Some(user), Some(password)) => Ok(Credentials::User(user.clone(), password)),
    }
}

/// The hub, if there is one. clap would show a URL that is wrong with the secret in it.
fn leaf(arguments: &Arguments) -> Result<Option<Leaf>, Failure> {
    let urls = arguments.leaf.iter().map(|url| url.parse());
    let urls: Vec<LeafUrl> = urls
        .collect::<Result<_, _>>()
        .map_err(|BadUrl { given, why }| Failure::LeafUrl { given, why })?;
    if let Some(name) = arguments.name.as_ref().filter(|_| !urls.is_empty())
        && name.contains(char::is_whitespace)
    {
        return Err(Failure::LeafName(name.clone()));
    }
    Ok((!urls.is_empty()).then(|| Leaf {
        urls,
        deny_imports: arguments.leaf_deny_import.clone(),
        deny_exports: arguments.leaf_deny_export.clone(),
        proof: match (&arguments.leaf_credentials, &arguments.leaf_nkey) {
            (Some(file), _) => ProofFile::Credentials(file.clone()),
            (None, Some(file)) => ProofFile::NKey(file.clone()),
            (None, None) => ProofFile::None,
        },
        ca: arguments.leaf_tls_ca.clone(),
    }))
}

/// Every connection is an open file, and the limit that programs start with is a
/// low one for the sake of others.
fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("cannot raise the limit on open files: {error}");
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), Failure> {
    let credentials = credentials(arguments)?;
    let leaf = leaf(arguments)?;
    raise_open_files();
    let tls = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    let cpus = || std::thread::available_parallelism().map_or(1, usize::from);
    let config = Config {
        listen: arguments.listen,
        http: arguments.http,
        workers: arguments.workers.map_or_else(cpus, usize::from),
        name: arguments.name.clone(),
        credentials,
        leaf,
        tls: tls.map(|(certificate, key)| TlsFiles {
            certificate,
            key,
            ca: arguments.tls_ca.clone(),
        }),
        limits: Limits {
            max_control_line: arguments.max_control_line as usize,
            max_payload: arguments.max_payload as usize,
        },
        max_connections: arguments.max_connections as usize,
        max_subscriptions: arguments.max_subscriptions as usize,
        max_pending: arguments.max_pending as usize,
        max_memory: usize::try_from(arguments.max_memory).unwrap_or(usize::MAX),
        ping_interval: arguments.ping_interval,
        max_pings_out: arguments.max_pings_out,
        auth_timeout: arguments.auth_timeout,
        write_deadline: arguments.write_deadline,
        drain_timeout: arguments.drain_timeout,
        allocator: Allocator {
            upkeep: broker_runtime::UPKEEP,
            figures: broker_runtime::figures,
        },
    };
    Ok(Server::bind(config)?.run()?)
}

//! The server's configuration from flags, environment variables and the configuration file.
//!
//! A flag overrides its variable, which overrides the file. Credentials, TLS, WebSocket and the
//! hub each come from one of them as a whole.

use std::net::SocketAddr;
use std::time::Duration;

use broker_config::{Authorization, HandshakeFirst, LeafRemote, Options, TlsVersion};
use broker_protocol::{BadUrl, Limits};
use broker_server::{
    Allocator, Config, Credentials, First, Leaf, LeafUrl, ProofFile, TlsFiles, TlsStart,
    WebSocketConfig,
};

use super::arguments::Arguments;
use super::failure::Failure;
use super::lookup::look_up;
use super::secrets;

/// The default host with a configuration file, as in nats-server.
const ANY: &str = "0.0.0.0";

/// The default port for clients.
const PORT: u16 = 4222;

/// The default time limit for an upgrade to WebSocket.
const WEBSOCKET_HANDSHAKE: Duration = Duration::from_secs(2);

/// Reads the configuration file, if one is given. Returns its options and warnings.
///
/// # Errors
///
/// All problems of the file.
pub(super) fn read_file(arguments: &Arguments) -> Result<(Options, Vec<String>), Failure> {
    let Some(path) = &arguments.config else {
        return Ok((Options::default(), Vec::new()));
    };
    let loaded = broker_config::load(path, &arguments.config_ignore)?;
    let warnings = loaded.warnings.iter().map(ToString::to_string);
    Ok((loaded.options, warnings.collect()))
}

/// Returns the configuration of the server.
///
/// # Errors
///
/// Values that contradict each other, and files that cannot be read.
pub(super) fn config(arguments: &Arguments, file: &Options) -> Result<Config, Failure> {
    let default = Config::default();
    let of_file = arguments.config.as_ref().map(|_| {
        let host = file.host.as_deref().unwrap_or(ANY);
        resolve(host, file.port.unwrap_or(PORT))
    });
    let listen = match (arguments.listen, of_file) {
        (Some(listen), _) => listen,
        (None, Some(of_file)) => of_file?,
        (None, None) => default.listen,
    };
    let listen = arguments.nats.listen(listen);
    let http = match (
        arguments.http,
        arguments.nats.http_port().or(file.http_port),
    ) {
        (None, Some(port)) => match &file.http_host {
            Some(host) => Some(resolve(host, port)?),
            None => Some(SocketAddr::new(listen.ip(), port)),
        },
        (http, _) => http,
    };
    let bytes = |of_flag: Option<u32>, of_file: Option<u32>, default: usize| {
        of_flag.or(of_file).map_or(default, |bytes| bytes as usize)
    };
    let count = |of_flag: Option<u32>, of_file: Option<usize>, default: usize| {
        let of_flag = of_flag.map(|count| count as usize);
        of_flag.or(of_file).unwrap_or(default)
    };
    let authorization = file.authorization.as_ref();
    let auth_timeout = authorization.and_then(|authorization| authorization.timeout);
    let auth_timeout = arguments.auth_timeout.or(auth_timeout);
    let tls = tls(arguments, file);
    let tls_timeout = match (&file.tls, &arguments.tls_cert) {
        (Some(tls), None) => tls.timeout,
        _ => arguments.tls_timeout,
    };
    let tls_timeout = tls_timeout.unwrap_or(default.tls_timeout);
    // nats-server's default.
    let after_tls = tls.as_ref().map(|_| tls_timeout + Duration::from_secs(1));
    let name = arguments.name.as_ref().or(file.server_name.as_ref());
    let duration = arguments.lame_duck_duration.or(file.lame_duck_duration);
    let grace = arguments.lame_duck_grace_period;
    let grace = grace.or(file.lame_duck_grace_period);
    let config = Config {
        listen,
        http,
        http_base_path: file.http_base_path.clone().unwrap_or_default(),
        workers: arguments.workers.map_or(default.workers, usize::from),
        name: name.cloned(),
        credentials: credentials(arguments, file)?,
        leaf: leaf(arguments, file)?,
        tls,
        tls_start: tls_start(arguments, file),
        websocket: websocket(arguments, file)?,
        limits: Limits {
            max_control_line: bytes(
                arguments.max_control_line,
                file.max_control_line,
                default.limits.max_control_line,
            ),
            max_payload: bytes(
                arguments.max_payload,
                file.max_payload,
                default.limits.max_payload,
            ),
        },
        max_connections: count(
            arguments.max_connections,
            file.max_connections,
            default.max_connections,
        ),
        max_subscriptions: count(
            arguments.max_subscriptions,
            file.max_subscriptions,
            default.max_subscriptions,
        ),
        max_subscription_tokens: (file.max_sub_tokens)
            .map_or(default.max_subscription_tokens, usize::from),
        headers: !file.no_header_support.unwrap_or_default(),
        max_pending: bytes(arguments.max_pending, file.max_pending, default.max_pending),
        max_memory: arguments.max_memory.map_or(default.max_memory, |bytes| {
            usize::try_from(bytes).unwrap_or(usize::MAX)
        }),
        ping_interval: (arguments.ping_interval.or(file.ping_interval))
            .unwrap_or(default.ping_interval),
        max_pings_out: (arguments.max_pings_out.or(file.ping_max)).unwrap_or(default.max_pings_out),
        tls_timeout,
        auth_timeout: (auth_timeout.or(after_tls)).unwrap_or(default.auth_timeout),
        write_deadline: (arguments.write_deadline.or(file.write_deadline))
            .unwrap_or(default.write_deadline),
        drain_timeout: arguments.drain_timeout.unwrap_or(default.drain_timeout),
        lame_duck_duration: duration.unwrap_or(default.lame_duck_duration),
        lame_duck_grace_period: grace.unwrap_or(default.lame_duck_grace_period),
        allocator: Allocator {
            upkeep: broker_runtime::UPKEEP,
            figures: broker_runtime::figures,
        },
    };
    check(&config)?;
    Ok(config)
}

/// Checks values that may come from different sources against each other.
fn check(config: &Config) -> Result<(), Failure> {
    let (grace, duration) = (config.lame_duck_grace_period, config.lame_duck_duration);
    if grace >= duration {
        let seconds = [grace, duration].map(|time| time.as_secs_f64());
        return Err(Failure::LameDuck(seconds[0], seconds[1]));
    }
    match &config.name {
        Some(name) if config.leaf.is_some() && name.contains(char::is_whitespace) => {
            Err(Failure::LeafName(name.clone()))
        }
        _ => Ok(()),
    }
}

/// Resolves a host of the configuration file.
fn resolve(host: &str, port: u16) -> Result<SocketAddr, Failure> {
    look_up((host, port)).map_err(|source| Failure::Host {
        host: host.to_owned(),
        source,
    })
}

fn credentials(arguments: &Arguments, file: &Options) -> Result<Credentials, Failure> {
    if let Some(of_flags) = secrets::credentials(arguments)? {
        return Ok(of_flags);
    }
    let Some(authorization) = &file.authorization else {
        return Ok(Credentials::None);
    };
    let Authorization {
        user,
        password,
        token,
        users,
        ..
    } = authorization;
    Ok(match (user, password, token) {
        (Some(user), Some(password), _) => Credentials::User(user.clone(), password.0.clone()),
        (_, _, Some(token)) => Credentials::Token(token.0.clone()),
        _ if users.is_empty() => Credentials::None,
        _ => Credentials::Users {
            users: users.clone(),
            guest: file.no_auth_user.clone(),
        },
    })
}

fn tls(arguments: &Arguments, file: &Options) -> Option<TlsFiles> {
    let of_flags = (arguments.tls_cert.clone()).zip(arguments.tls_key.clone());
    if let Some((certificate, key)) = of_flags {
        return Some(TlsFiles {
            certificate,
            key,
            ca: arguments.tls_ca.clone(),
            only_tls13: false,
        });
    }
    file.tls.as_ref().map(of_listener)
}

/// Returns how TLS connections start.
fn tls_start(arguments: &Arguments, file: &Options) -> TlsStart {
    match (&file.tls, &arguments.tls_cert) {
        (Some(tls), None) => TlsStart {
            first: match tls.handshake_first {
                HandshakeFirst::No => First::Never,
                HandshakeFirst::Yes => First::Always,
                HandshakeFirst::Fallback(delay) => First::Auto(delay),
            },
            allow_clear: file.allow_non_tls.unwrap_or_default(),
        },
        _ => TlsStart {
            first: arguments.tls_handshake_first.unwrap_or_default(),
            allow_clear: arguments.tls_allow_clear,
        },
    }
}

/// Returns the TLS files of a listener.
fn of_listener(tls: &broker_config::Tls) -> TlsFiles {
    TlsFiles {
        certificate: tls.cert_file.clone(),
        key: tls.key_file.clone(),
        ca: tls.ca_file.clone().filter(|_| tls.verify),
        only_tls13: tls.min_version == Some(TlsVersion::Tls13),
    }
}

/// Returns the WebSocket port, if there is one.
fn websocket(arguments: &Arguments, file: &Options) -> Result<Option<WebSocketConfig>, Failure> {
    let timeout = |given: Option<Duration>| given.unwrap_or(WEBSOCKET_HANDSHAKE);
    if let Some(listen) = arguments.websocket {
        let files = (arguments.websocket_tls_cert.clone()).zip(arguments.websocket_tls_key.clone());
        return Ok(Some(WebSocketConfig {
            listen,
            tls: files.map(|(certificate, key)| TlsFiles {
                certificate,
                key,
                ca: None,
                only_tls13: false,
            }),
            same_origin: arguments.websocket_same_origin,
            allowed_origins: arguments.websocket_allowed_origin.clone(),
            compression: arguments.websocket_compression,
            handshake_timeout: timeout(arguments.websocket_handshake_timeout),
        }));
    }
    let Some(websocket) = &file.websocket else {
        return Ok(None);
    };
    let origins = websocket.allowed_origins.iter();
    let origins: Result<_, _> = origins.map(|origin| origin.parse()).collect();
    Ok(Some(WebSocketConfig {
        listen: resolve(websocket.host.as_deref().unwrap_or(ANY), websocket.port)?,
        tls: websocket.tls.as_ref().map(of_listener),
        same_origin: websocket.same_origin,
        allowed_origins: origins.map_err(Failure::Origin)?,
        compression: websocket.compression,
        handshake_timeout: timeout(websocket.handshake_timeout),
    }))
}

/// Returns the hub, if there is one. URLs are parsed here because an error of clap would print
/// a wrong URL with its secret.
fn leaf(arguments: &Arguments, file: &Options) -> Result<Option<Leaf>, Failure> {
    let urls = arguments.leaf.iter().map(|url| url.parse());
    let urls: Vec<LeafUrl> = urls
        .collect::<Result<_, _>>()
        .map_err(|BadUrl { given, why }| Failure::LeafUrl { given, why })?;
    if !urls.is_empty() {
        return Ok(Some(Leaf {
            urls,
            deny_imports: arguments.leaf_deny_import.clone(),
            deny_exports: arguments.leaf_deny_export.clone(),
            proof: match (&arguments.leaf_credentials, &arguments.leaf_nkey) {
                (Some(file), _) => ProofFile::Credentials(file.clone()),
                (None, Some(file)) => ProofFile::NKey(file.clone()),
                (None, None) => ProofFile::None,
            },
            ca: arguments.leaf_tls_ca.clone(),
            certificate: (arguments.leaf_tls_cert.clone()).zip(arguments.leaf_tls_key.clone()),
            tls_first: arguments.leaf_tls_first,
        }));
    }
    Ok(file.leaf_remote.as_ref().map(hub))
}

/// Returns the hub of the configuration file.
fn hub(remote: &LeafRemote) -> Leaf {
    let tls = remote.tls.as_ref();
    let urls = remote.urls.iter().map(|url| LeafUrl {
        tls: url.tls || tls.is_some(),
        ..url.clone()
    });
    Leaf {
        urls: urls.collect(),
        deny_imports: remote.deny_imports.clone(),
        deny_exports: remote.deny_exports.clone(),
        proof: match (&remote.credentials, &remote.nkey) {
            (Some(file), _) => ProofFile::Credentials(file.clone()),
            (None, Some(seed)) => ProofFile::Seed(seed.0.clone()),
            (None, None) => ProofFile::None,
        },
        ca: tls.and_then(|tls| tls.ca_file.clone()),
        certificate: tls.and_then(|tls| tls.cert_file.clone().zip(tls.key_file.clone())),
        tls_first: tls.is_some_and(|tls| tls.handshake_first),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn of(flags: &[&str], file: &Options) -> Result<Config, Failure> {
        let flags = ["serve"].iter().chain(flags);
        let command = Command::try_parse_from(flags).expect("the flags are right");
        config(&command.arguments, file)
    }

    #[test]
    fn the_defaults_of_the_flags_are_those_of_the_library() {
        let config = of(&[], &Options::default()).expect("no file is named");
        // One that is the same in both: functions have other addresses in other crates.
        let default = Config {
            allocator: config.allocator,
            ..Config::default()
        };
        assert_eq!(format!("{config:?}"), format!("{default:?}"));
        let help = Command::command().render_long_help().to_string();
        let help: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for (flag, value) in [
            (
                "--listen",
                format!(
                    "{}; with --config or as nats-server, {ANY}:{PORT}",
                    default.listen
                ),
            ),
            ("--max-payload", default.limits.max_payload.to_string()),
            (
                "--max-control-line",
                default.limits.max_control_line.to_string(),
            ),
            ("--max-connections", default.max_connections.to_string()),
            ("--max-subscriptions", default.max_subscriptions.to_string()),
            ("--max-pending", default.max_pending.to_string()),
            ("--max-memory", default.max_memory.to_string()),
            (
                "--ping-interval",
                default.ping_interval.as_secs().to_string(),
            ),
            ("--max-pings-out", default.max_pings_out.to_string()),
            (
                "--auth-timeout",
                format!(
                    "{}; with TLS, 1 more than --tls-timeout",
                    default.auth_timeout.as_secs()
                ),
            ),
            ("--tls-timeout", default.tls_timeout.as_secs().to_string()),
            (
                "--websocket-handshake-timeout",
                WEBSOCKET_HANDSHAKE.as_secs().to_string(),
            ),
            (
                "--write-deadline",
                default.write_deadline.as_secs().to_string(),
            ),
            (
                "--drain-timeout",
                default.drain_timeout.as_secs().to_string(),
            ),
            (
                "--lame-duck-duration",
                default.lame_duck_duration.as_secs().to_string(),
            ),
            (
                "--lame-duck-grace-period",
                default.lame_duck_grace_period.as_secs().to_string(),
            ),
        ] {
            let (_, text) = help.split_once(&format!("{flag} <")).expect(flag);
            let text = text.split("[env: ").next().unwrap_or_default();
            assert!(
                text.contains(&format!("[default: {value}]")),
                "{flag}: {text}"
            );
        }
    }

    #[test]
    fn flags_are_over_the_file_and_the_file_is_over_defaults() {
        let file = Options {
            server_name: Some("of-file".to_owned()),
            max_payload: Some(1000),
            ping_max: Some(7),
            ..Options::default()
        };
        let found = of(&["--name", "of-flag", "--max-pings-out", "3"], &file).expect("it is right");
        assert_eq!(found.name.as_deref(), Some("of-flag"));
        assert_eq!(found.max_pings_out, 3);
        assert_eq!(found.limits.max_payload, 1000);
        assert_eq!(found.max_pending, Config::default().max_pending);
        let found = of(&[], &file).expect("it is right");
        assert_eq!(
            (found.name.as_deref(), found.max_pings_out),
            (Some("of-file"), 7)
        );
    }

    #[test]
    fn handshake_and_credentials_have_time_limits_of_their_own() {
        let tls = r#"tls { cert_file: "c", key_file: "k", "#;
        let flags = ["--tls-cert", "c", "--tls-key", "k"];
        for (flags, file, seconds) in [
            (&[][..], String::new(), [2.0, 2.0]),
            (
                &[],
                "authorization { token: t, timeout: 9 }".to_owned(),
                [2.0, 9.0],
            ),
            (&[], format!("{tls} }}"), [2.0, 3.0]),
            (&[], format!("{tls} timeout: 0.5 }}"), [0.5, 1.5]),
            (
                &[],
                format!("authorization {{ token: t, timeout: 0.5 }}\n{tls} timeout: 5 }}"),
                [5.0, 0.5],
            ),
            (
                &["--auth-timeout", "7"],
                format!("{tls} timeout: 5 }}"),
                [5.0, 7.0],
            ),
            (&flags, String::new(), [2.0, 3.0]),
            // TLS is that of the flags, as a whole.
            (&flags, format!("{tls} timeout: 5 }}"), [2.0, 3.0]),
            (
                &[&flags[..], &["--tls-timeout", "4"]].concat(),
                String::new(),
                [4.0, 5.0],
            ),
        ] {
            let options = broker_config::parse(file.as_bytes(), "x")
                .expect("a file")
                .options;
            let config = of(flags, &options).expect("it is right");
            let found = [config.tls_timeout, config.auth_timeout].map(|time| time.as_secs_f64());
            assert_eq!(
                found.map(f64::to_bits),
                seconds.map(f64::to_bits),
                "{flags:?} {file}"
            );
        }
    }

    #[test]
    fn monitoring_is_at_the_host_of_the_file_or_of_the_clients() {
        let at_host = Options {
            host: Some("192.0.2.1".to_owned()),
            http_host: Some("127.0.0.1".to_owned()),
            http_port: Some(8222),
            ..Options::default()
        };
        let by_port = Options {
            http_host: None,
            ..at_host.clone()
        };
        for (flags, file, expected) in [
            (&["-c", "x"][..], &at_host, "127.0.0.1:8222"),
            (&["-c", "x", "-m", "8"], &at_host, "127.0.0.1:8"),
            (&["-c", "x", "-a", "192.0.2.7"], &at_host, "127.0.0.1:8222"),
            (&["-c", "x"], &by_port, "192.0.2.1:8222"),
            (&["-c", "x", "-m", "8"], &by_port, "192.0.2.1:8"),
            (&["-c", "x", "-a", "127.0.0.1"], &by_port, "127.0.0.1:8222"),
            (
                &["-c", "x", "--listen", "127.0.0.1:1"],
                &by_port,
                "127.0.0.1:8222",
            ),
            (
                &["-c", "x", "--http", "192.0.2.9:9"],
                &at_host,
                "192.0.2.9:9",
            ),
            (&["-m", "8"], &Options::default(), "127.0.0.1:8"),
        ] {
            let found = of(flags, file).expect("it is right");
            assert_eq!(found.http, expected.parse().ok(), "{flags:?}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        let file = Options {
            lame_duck_duration: Some(Duration::from_secs(30)),
            lame_duck_grace_period: Some(Duration::from_secs(20)),
            ..Options::default()
        };
        assert!(of(&[], &file).is_ok());
        let error = of(&["--lame-duck-grace-period", "30"], &file).expect_err("it is as long");
        assert!(matches!(error, Failure::LameDuck(..)), "{error}");
        let file = Options {
            server_name: Some("a b".to_owned()),
            ..Options::default()
        };
        let error = of(&["--leaf", "nats-leaf://127.0.0.1"], &file).expect_err("hubs refuse it");
        assert!(matches!(error, Failure::LeafName(_)), "{error}");
    }
}

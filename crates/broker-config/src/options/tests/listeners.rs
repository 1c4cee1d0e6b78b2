//! Listeners and limits.

use std::path::Path;
use std::time::Duration;

use super::super::{HandshakeFirst, TlsVersion};
use super::{all_are_refused, all_are_warned_of, options};

#[test]
fn addresses() {
    for (text, host, port) in [
        ("server_name: a", None, None),
        ("listen: 4223", None, Some(4223)),
        ("listen: \"127.0.0.1:4223\"", Some("127.0.0.1"), Some(4223)),
        ("listen: 127.0.0.1:4223", Some("127.0.0.1"), Some(4223)),
        ("listen: \"[::1]:4223\"", Some("::1"), Some(4223)),
        ("listen: localhost:-1", Some("localhost"), Some(0)),
        ("listen: \":0\"", None, None),
        ("port: -1, net: a", Some("a"), Some(0)),
        ("Port: 0, HOST: \"\"", None, None),
    ] {
        let found = options(text);
        assert_eq!((found.host.as_deref(), found.port), (host, port), "{text}");
    }
}

#[test]
fn monitoring() {
    let found = options("http: \"[::1]:8222\", http_base_path: nats/");
    assert_eq!(found.http_host.as_deref(), Some("::1"));
    assert_eq!(found.http_port, Some(8222));
    assert_eq!(found.http_base_path.as_deref(), Some("/nats"));
    assert_eq!(options("monitor_port: -1").http_port, Some(0));
    assert_eq!(options("http_port: 0").http_port, None);
}

#[test]
fn bounds_and_times() {
    let found = options(
        "max_control_line: 1kb, max_payload: 2MB, max_pending: 4MB, max_conn: 10, max_subs: 11\n\
         max_subscription_tokens: 12, ping_interval: \"1m30s\", ping_max: 3\n\
         write_deadline: 500ms, no_header_support: true, lame_duck_duration: 30s, lame_duck_grace_period: \"5s\"",
    );
    assert_eq!(found.max_control_line, Some(1024));
    assert_eq!(found.max_payload, Some(2 << 20));
    assert_eq!(found.max_pending, Some(4 << 20));
    assert_eq!(found.max_connections, Some(10));
    assert_eq!(found.max_subscriptions, Some(11));
    assert_eq!(found.max_sub_tokens, Some(12));
    assert_eq!(found.ping_interval, Some(Duration::from_secs(90)));
    assert_eq!(found.ping_max, Some(3));
    assert_eq!(found.write_deadline, Some(Duration::from_millis(500)));
    assert_eq!(found.no_header_support, Some(true));
    assert_eq!(found.lame_duck_duration, Some(Duration::from_secs(30)));
    assert_eq!(found.lame_duck_grace_period, Some(Duration::from_secs(5)));
    let found = options("max_connections: -1, max_subscriptions: -1, max_payload: 0, ping_max: 0");
    assert_eq!(found.max_connections, Some(usize::MAX));
    assert_eq!(found.max_subscriptions, Some(0));
    assert_eq!((found.max_payload, found.ping_max), (None, None));
    assert_eq!(
        options("max_pending: 2147483648").max_pending,
        Some(1 << 31)
    );
    assert_eq!(
        options("max_payload: 9mb, max_payload: 8mb").max_payload,
        Some(8 << 20)
    );
}

#[test]
fn files_and_log() {
    let found = options(
        "server_name: \"a b\", debug: on, trace: no, logfile: /l, pidfile: p, ports_file_dir: 'd'",
    );
    assert_eq!(found.server_name.as_deref(), Some("a b"));
    assert_eq!((found.debug, found.trace), (Some(true), Some(false)));
    assert_eq!(found.log_file.as_deref(), Some(Path::new("/l")));
    assert_eq!(found.pid_file.as_deref(), Some(Path::new("p")));
    assert_eq!(found.ports_file_dir.as_deref(), Some(Path::new("d")));
}

#[test]
fn tls_of_a_listener() {
    let found = options(
        "allow_non_tls: true\n tls { cert_file: c, key_file: k, ca_file: a, verify: true\n\
         timeout: 1.5, first: auto, pinned_certs: [], min_version: \"1.3\" }",
    );
    assert_eq!(found.allow_non_tls, Some(true));
    let tls = found.tls.expect("it is given");
    assert_eq!(tls.cert_file, Path::new("c"));
    assert_eq!(tls.key_file, Path::new("k"));
    assert_eq!(tls.ca_file.as_deref(), Some(Path::new("a")));
    assert!(tls.verify);
    assert_eq!(tls.timeout, Some(Duration::from_millis(1500)));
    let auto = HandshakeFirst::Fallback(Duration::from_millis(50));
    assert_eq!(tls.handshake_first, auto);
    assert_eq!(tls.min_version, Some(TlsVersion::Tls13));
    for (text, expected) in [
        ("true", HandshakeFirst::Yes),
        ("\"on\"", HandshakeFirst::Yes),
        ("\"false\"", HandshakeFirst::No),
        (
            "300ms",
            HandshakeFirst::Fallback(Duration::from_millis(300)),
        ),
    ] {
        let text = format!("tls {{ cert_file: c, key_file: k, handshake_first: {text} }}");
        assert_eq!(
            options(&text).tls.map(|tls| tls.handshake_first),
            Some(expected)
        );
    }
}

#[test]
fn websocket() {
    let found = options(
        "websocket { listen: \"127.0.0.1:8080\", no_tls: true, same_origin: true\n\
         allowed_origins: [\"https://a\", 'http://b:80'], handshake_timeout: 3, compression: on }",
    );
    let found = found.websocket.expect("it is given");
    assert_eq!(
        (found.host.as_deref(), found.port),
        (Some("127.0.0.1"), 8080)
    );
    assert!(found.no_tls && found.same_origin && found.compression && found.tls.is_none());
    assert_eq!(found.allowed_origins, ["https://a", "http://b:80"]);
    assert_eq!(found.handshake_timeout, Some(Duration::from_secs(3)));
    let found = options("ws { port: -1, tls { cert_file: c, key_file: k } }").websocket;
    let found = found.expect("it is given");
    assert_eq!(found.port, 0);
    assert!(found.tls.is_some() && !found.no_tls);
    assert_eq!(options("websocket {}").websocket, None);
    all_are_warned_of(&[("websocket { no_tls: true }", ":1:1: websocket is off")]);
    all_are_refused(&[
        ("websocket { port: 80 }", "1:1: websocket requires TLS"),
        (
            "websocket { port: 80, no_tls: on, jwt_cookie: c }",
            "1:35: jwt_cookie: Broker",
        ),
        (
            "websocket { port: 80, no_tls: on, origins: \"*\" }",
            "1:35: origin \"*\" is not",
        ),
        (
            "websocket { port: 80, no_tls: on, authorization { token: a } }",
            "1:35: authorization: Broker",
        ),
        (
            "websocket { port: 80, no_tls: on, handshake_timeout: 1.5 }",
            "1:35: handshake_timeout must be",
        ),
        (
            "websocket { port: 80, tls { cert_file: c } }",
            "1:23: tls needs",
        ),
        (
            "websocket { port: 80, no_tls: on, x: 1 }",
            "1:35: unknown field \"x\"",
        ),
    ]);
}

#[test]
fn tls_of_a_listener_is_judged() {
    all_are_refused(&[
        (
            "tls { cert_file: c, key_file: k, verify: true }",
            "1:1: verify needs a ca_file",
        ),
        (
            "tls { verify: false }",
            "1:1: tls needs a cert_file and a key_file",
        ),
        (
            "tls { cert_file: c, key_file: k, cipher_suites: [x] }",
            "1:34: cipher_suites: Broker offers",
        ),
        (
            "tls { cert_file: c, key_file: k, min_version: 1.2 }",
            "1:34: min_version must be a string, not a number with a point; put",
        ),
        (
            "tls { cert_file: c, key_file: k, min_version: \"1.1\" }",
            "1:34: min_version must be \"1.2\" or",
        ),
        (
            "tls { cert_file: c, key_file: k, pinned_certs: [ab] }",
            "1:34: pinned_certs: Broker checks certificates only against",
        ),
        (
            "tls { cert_file: c, key_file: k, handshake_first: x }",
            "1:34: handshake_first must be",
        ),
        (
            "tls { cert_file: c, key_file: k, x: 1 }",
            "1:34: unknown field \"x\"",
        ),
    ]);
}

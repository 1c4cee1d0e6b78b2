//! Options of nats-server that Broker does not have.

use std::path::Path;

use super::{all_are_refused, all_are_warned_of, options};
use crate::{Loaded, Problems, Sources, can_be_ignored, load_from};

#[test]
fn unsupported_options() {
    all_are_refused(&[
        (
            "cluster { port: 6222 }",
            "1:1: cluster: Broker does not form clusters; leave it out, or use nats-server",
        ),
        (
            "Jetstream: true",
            "1:1: Jetstream: Broker does not store messages",
        ),
        ("jetstream {}", "1:1: jetstream: Broker does not"),
        ("jetstream: enabled", "1:1: jetstream: Broker does not"),
        (
            "accounts { A { users: [] } }",
            "1:1: accounts: Broker has one account",
        ),
        (
            "operator: o.jwt",
            "1:1: operator: Broker does not support operators",
        ),
        ("resolver: MEMORY", "1:1: resolver: Broker"),
        ("mqtt { port: 1883 }", "1:1: mqtt: Broker"),
        ("gateway { name: a }", "1:1: gateway: Broker"),
        ("mappings { a: b }", "1:1: mappings: Broker"),
        ("ocsp: true", "1:1: ocsp: Broker"),
        ("client_advertise: a", "1:1: client_advertise: Broker"),
        ("https: 8443", "1:1: https: Broker"),
        ("log_size_limit: 1MB", "1:1: log_size_limit: Broker"),
        ("syslog: true", "1:1: syslog: Broker"),
        (
            "no_fast_producer_stall: true",
            "1:1: no_fast_producer_stall: Broker",
        ),
        (
            "authorization { auth_callout {} }",
            "1:17: auth_callout: Broker has no auth callout",
        ),
    ]);
    all_are_warned_of(&[
        ("system_account: SYS", ":1:1: system_account has no effect"),
        (
            "max_closed_clients: 5",
            ":1:1: max_closed_clients has no effect",
        ),
        (
            "max_traced_msg_len: 5",
            ":1:1: max_traced_msg_len has no effect",
        ),
        (
            "connect_error_reports: 5",
            ":1:1: connect_error_reports has no effect",
        ),
        ("server_tags: [a]", ":1:1: server_tags has no effect"),
        ("prof_port: 1", ":1:1: prof_port has no effect"),
        ("logtime: false", ":1:1: logtime has no effect"),
        ("logtime_utc: true", ":1:1: logtime_utc has no effect"),
        (
            "trace_verbose: true",
            ":1:1: trace_verbose has the same effect",
        ),
        ("", ": config has no values"),
    ]);
    for text in [
        "jetstream: false",
        "jetstream: disabled",
        "jetstream: Disable",
        "cluster {}",
        "mqtt {}",
        "accounts {}",
        "syslog: no",
        "https_port: 0",
        "operator: []",
        "logtime: true",
        "system_account: \"\"",
        "ocsp: off",
    ] {
        options(text);
    }
}

/// Reads a text of which these options are to be ignored.
fn ignoring(ignored: &[&str], text: &str) -> Result<Loaded, Problems> {
    let ignored: Vec<_> = ignored.iter().map(ToString::to_string).collect();
    let sources = Sources {
        read: &|_| Ok(text.into()),
        variable: &|_| None,
    };
    load_from(Path::new("a.conf"), &sources, &ignored)
}

#[test]
fn what_broker_does_not_have_is_ignored_if_that_is_asked_for() {
    let text = "leafnodes { LISTEN: \"0.0.0.0:-1\" }\njetstream {}\n";
    let loaded = ignoring(&["leafnodes.listen", "jetstream"], text).expect("both are ignored");
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "a.conf:1:13: LISTEN is ignored (--config-ignore): Broker does not accept leaf nodes; it can only be one (remotes)",
            "a.conf:2:1: jetstream is ignored (--config-ignore): Broker does not store messages",
        ]
    );
    let problems = ignoring(&["leafnodes.listen"], text).expect_err("one is not");
    assert!(
        problems
            .to_string()
            .contains("a.conf:2:1: jetstream: Broker does not store")
    );
    // A name at the top is not one of a block.
    let problems = ignoring(&["listen"], "leafnodes { listen: 1 }").expect_err("it is not");
    assert!(
        problems
            .to_string()
            .contains("1:13: listen: Broker does not accept leaf")
    );
}

#[test]
fn what_keeps_somebody_out_is_never_ignored() {
    for name in [
        "leafnodes.listen",
        "jetstream",
        "cluster",
        "leafnodes.remotes.hub",
    ] {
        assert!(can_be_ignored(name), "{name}");
    }
    for (name, text) in [
        ("accounts", "accounts { A { users: [] } }"),
        ("operator", "operator: o.jwt"),
        (
            "websocket.authorization",
            "websocket { port: 1, no_tls: true, authorization { token: t } }",
        ),
        (
            "websocket.jwt_cookie",
            "websocket { port: 1, no_tls: true, jwt_cookie: c }",
        ),
        ("listen", "listen: nonsense:x"),
        ("nonsense", "nonsense: 1"),
        ("leafnodes.jetstream", "leafnodes { jetstream: 1 }"),
    ] {
        assert!(!can_be_ignored(name), "{name}");
        assert!(ignoring(&[name], text).is_err(), "{name}");
    }
}

//! What nats-server has and Broker does not.

use super::{all_are_refused, all_are_warned_of, options};

#[test]
fn what_broker_does_not_have() {
    all_are_refused(&[
        (
            "cluster { port: 6222 }",
            "1:1: cluster: Broker forms no clusters; leave it out, or use nats-server",
        ),
        (
            "Jetstream: true",
            "1:1: Jetstream: Broker stores no messages",
        ),
        ("jetstream {}", "1:1: jetstream: Broker stores"),
        ("jetstream: enabled", "1:1: jetstream: Broker stores"),
        (
            "accounts { A { users: [] } }",
            "1:1: accounts: Broker has one account",
        ),
        (
            "operator: o.jwt",
            "1:1: operator: Broker knows no operators",
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
        ("no_header_support: true", "1:1: no_header_support: Broker"),
        (
            "no_fast_producer_stall: true",
            "1:1: no_fast_producer_stall: Broker",
        ),
        (
            "authorization { auth_callout {} }",
            "1:17: auth_callout: Broker asks",
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
        ("trace_verbose: true", ":1:1: trace_verbose is the same"),
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
        "no_header_support: false",
        "ocsp: off",
    ] {
        options(text);
    }
}

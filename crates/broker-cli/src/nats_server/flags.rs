//! The flags of nats-server 2.10, and what they mean here.

/// What a flag of nats-server means here.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// This flag of `broker serve`, with the value.
    Value(&'static str),
    /// This switch of `broker serve`.
    Switch(&'static str),
    /// TLS, which Broker turns on by the files.
    Tls,
    /// TLS with client certificates.
    TlsVerify,
    /// The certificate authorities for client certificates.
    TlsCa,
    /// Print the version.
    Version,
    /// A switch without an effect.
    IgnoredSwitch,
    /// A flag with a value and without an effect.
    IgnoredValue,
    /// A switch that Broker does not have: the reason, and what to do instead.
    RefusedSwitch(&'static str),
    /// The same for a flag with a value. Nothing and 0 are nats-server's defaults.
    Refused(&'static str),
}

use Meaning::{
    IgnoredSwitch, IgnoredValue, Refused, RefusedSwitch, Switch, Tls, TlsCa, TlsVerify, Value,
    Version,
};

pub(super) const NO_CLUSTERS: &str =
    "Broker does not form clusters; make it a leaf node of one with --leaf";
pub(super) const NO_STREAMS: &str =
    "Broker does not store messages; make it a leaf node of a server with JetStream with --leaf";
pub(super) const NO_SYSLOG: &str = "Broker does not log to syslog; collect standard error";

/// The flags of nats-server.
pub(super) const FLAGS: &[(&[&str], Meaning)] = &[
    (&["p", "port"], Value("port")),
    (&["a", "addr", "net"], Value("addr")),
    (&["n", "name", "server_name"], Value("name")),
    (&["m", "http_port"], Value("http_port")),
    (&["c", "config"], Value("config")),
    (&["sl", "signal"], Value("signal")),
    (&["P", "pid"], Value("pid")),
    (&["ports_file_dir"], Value("ports_file_dir")),
    (&["l", "log"], Value("log")),
    (&["user"], Value("user")),
    (&["pass"], Value("password")),
    (&["auth"], Value("token")),
    (&["tlscert"], Value("tls-cert")),
    (&["tlskey"], Value("tls-key")),
    (&["t"], Switch("test")),
    (&["D", "debug"], Switch("debug")),
    (&["V", "VV", "DV", "DVV", "trace"], Switch("trace")),
    (&["h", "help"], Switch("help")),
    (&["v", "version"], Version),
    (&["tls"], Tls),
    (&["tlsverify"], TlsVerify),
    (&["tlscacert"], TlsCa),
    (&["T", "logtime", "logtime_utc"], IgnoredSwitch),
    (&["sd", "store_dir", "max_traced_msg_len"], IgnoredValue),
    (&["js", "jetstream"], RefusedSwitch(NO_STREAMS)),
    (
        &[
            "cluster",
            "cluster_listen",
            "cluster_name",
            "cluster_advertise",
            "connect_retries",
            "routes",
        ],
        Refused(NO_CLUSTERS),
    ),
    (&["no_advertise"], RefusedSwitch(NO_CLUSTERS)),
    (
        &["client_advertise"],
        Refused("Broker does not advertise another address; give clients the address"),
    ),
    (
        &["ms", "https_port"],
        Refused("Broker serves monitoring without TLS; use -m, and a proxy with TLS in front"),
    ),
    (
        &["log_size_limit"],
        Refused("Broker does not rotate its log; use logrotate"),
    ),
    (&["s", "syslog"], RefusedSwitch(NO_SYSLOG)),
    (&["r", "remote_syslog"], Refused(NO_SYSLOG)),
    (
        &["profile"],
        Refused("Broker has no profiler; leave the flag out"),
    ),
    (
        &["help_tls"],
        RefusedSwitch("Broker has no such page; see -h"),
    ),
];

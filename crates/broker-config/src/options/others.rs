//! Options of nats-server that Broker does not have.

use super::reader::{Field, Reader};
use crate::grammar::Kind;

/// What happens to a key that Broker does not have.
enum Fate {
    /// An error: without the feature, a client could do what the file forbids.
    Needed,
    /// An error, unless it is ignored by name: clients or operators would miss the feature.
    Refused,
    /// A warning: the feature makes no difference to them.
    Ignored,
}

use Fate::{Ignored, Needed, Refused};

/// The advice for features that nats-server has.
const HUB: &str =
    "leave it out, or use nats-server for it and make Broker its leaf node (leafnodes.remotes)";

/// Keys, what happens to them, why Broker lacks them, and what to do instead.
type Row = (&'static [&'static str], Fate, &'static str, &'static str);

/// The top-level keys.
const TOP: &[Row] = &[
    (
        &["accounts"],
        Needed,
        "Broker has one account for all users",
        HUB,
    ),
    (
        &["mappings", "maps"],
        Refused,
        "Broker does not map subjects",
        HUB,
    ),
    (
        &[
            "operator",
            "operators",
            "roots",
            "root",
            "root_operators",
            "root_operator",
            "resolver",
            "account_resolver",
            "accounts_resolver",
            "resolver_tls",
            "resolver_preload",
            "resolver_pinned_accounts",
            "trusted",
            "trusted_keys",
        ],
        Needed,
        "Broker does not support operators or JWT users",
        "leave it out and list users in authorization, or use nats-server for it",
    ),
    (
        &["jetstream", "store_dir", "storedir", "default_js_domain"],
        Refused,
        "Broker does not store messages",
        HUB,
    ),
    (&["cluster"], Refused, "Broker does not form clusters", HUB),
    (&["gateway"], Refused, "Broker does not form clusters", HUB),
    (&["mqtt"], Refused, "Broker does not support MQTT", HUB),
    (
        &["ocsp", "ocsp_cache"],
        Refused,
        "Broker does not support OCSP",
        "leave it out, or put a proxy that staples OCSP responses in front",
    ),
    (
        &["client_advertise"],
        Refused,
        "Broker does not advertise another address",
        "leave it out and give clients the address",
    ),
    (
        &["https", "https_port"],
        Refused,
        "Broker serves monitoring without TLS",
        "use http with a private address, or put a proxy in front",
    ),
    (
        &[
            "log_size_limit",
            "logfile_size_limit",
            "log_max_num",
            "logfile_max_num",
        ],
        Refused,
        "Broker does not rotate its log",
        "leave it out and use logrotate or a similar tool",
    ),
    (
        &["syslog", "remote_syslog"],
        Refused,
        "Broker does not log to syslog",
        "leave it out and collect standard error",
    ),
    (
        &["disable_sublist_cache", "no_sublist_cache"],
        Refused,
        "Broker has no such cache",
        "leave it out",
    ),
    (
        &["no_fast_producer_stall"],
        Refused,
        "Broker always stalls fast producers",
        "leave it out, or raise max_pending",
    ),
    (
        &[
            "system_account",
            "system",
            "no_system_account",
            "no_system",
            "no_sys_acc",
        ],
        Ignored,
        "Broker has no system account",
        "use http for monitoring",
    ),
    (
        &["max_closed_clients"],
        Ignored,
        "Broker keeps the last 10,000 closed connections",
        "leave it out",
    ),
    (
        &["max_traced_msg_len"],
        Ignored,
        "Broker does not log payloads",
        "leave it out",
    ),
    (
        &["logtime_utc"],
        Ignored,
        "Broker's log has one time format",
        "leave it out",
    ),
    (
        &["connect_error_reports", "reconnect_error_reports"],
        Ignored,
        "Broker has its own limit on log lines about leaf node connections",
        "leave it out",
    ),
    (
        &["server_tags"],
        Ignored,
        "only clusters and JetStream need it",
        "leave it out",
    ),
    (
        &["prof_port", "prof_block_rate"],
        Ignored,
        "Broker has no profiler",
        "leave it out",
    ),
];

/// The same for the keys of `leafnodes`.
const LEAF: &[Row] = &[
    (
        &[
            "listen",
            "port",
            "host",
            "net",
            "advertise",
            "leafnode_advertise",
            "no_advertise",
            "authorization",
            "min_version",
            "minimum_version",
            "tls",
        ],
        Refused,
        "Broker does not accept leaf nodes; it can only be one (remotes)",
        "leave it out",
    ),
    (
        &["compression"],
        Ignored,
        "Broker does not compress leaf node connections",
        "leave it out",
    ),
];

/// The same for the keys of a remote.
const REMOTE: &[Row] = &[
    (&["hub"], Refused, "Broker is never a hub", "leave it out"),
    (
        &["compression"],
        Ignored,
        "Broker does not compress leaf node connections",
        "leave it out",
    ),
    (
        &["no_randomize", "dont_randomize"],
        Ignored,
        "Broker chooses the order of URLs itself",
        "leave it out",
    ),
    (
        &["first_info_timeout"],
        Ignored,
        "Broker has its own limit",
        "leave it out",
    ),
    (
        &[
            "ws_compress",
            "ws_compression",
            "websocket_compress",
            "websocket_compression",
            "ws_no_masking",
            "websocket_no_masking",
        ],
        Ignored,
        "it applies only to hubs over WebSocket",
        "leave it out",
    ),
    (
        &["jetstream_cluster_migrate", "js_cluster_migrate"],
        Ignored,
        "Broker does not store messages",
        "leave it out",
    ),
];

/// The same for the keys of `websocket`.
const WEBSOCKET: &[Row] = &[
    (
        &["advertise"],
        Refused,
        "Broker does not advertise another address",
        "leave it out and give clients the address",
    ),
    (
        &["jwt_cookie"],
        Needed,
        "Broker does not support JWT users",
        "leave it out, or use nats-server for it",
    ),
    (
        &["authorization", "authentication"],
        Needed,
        "Broker has the same authorization on all ports",
        "leave it out, and set authorization at the top level",
    ),
];

/// Which map a key is in.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Top,
    Leaf,
    Remote,
    WebSocket,
}

impl Place {
    const ALL: [Self; 4] = [Self::Top, Self::Leaf, Self::Remote, Self::WebSocket];

    /// What comes before the keys in names such as `leafnodes.listen`, and the keys.
    fn table(self) -> (&'static str, &'static [Row]) {
        match self {
            Self::Top => ("", TOP),
            Self::Leaf => ("leafnodes.", LEAF),
            Self::Remote => ("leafnodes.remotes.", REMOTE),
            Self::WebSocket => ("websocket.", WEBSOCKET),
        }
    }
}

/// Returns whether an option that Broker does not have, such as `leafnodes.listen`, can be ignored:
/// no client gets more access without it.
#[must_use]
pub fn can_be_ignored(name: &str) -> bool {
    Place::ALL.iter().any(|place| {
        let (prefix, table) = place.table();
        let key = name.strip_prefix(prefix);
        let mut rows = table.iter().filter(|row| !matches!(row.1, Needed));
        key.is_some_and(|key| rows.any(|row| row.0.contains(&key)))
    })
}

impl Reader<'_> {
    /// Reports a key that Broker does not have.
    pub(super) fn other(&mut self, place: Place, key: &str, field: &Field<'_>) {
        let (prefix, table) = place.table();
        let Some((_, fate, why, instead)) = table.iter().find(|row| row.0.contains(&key)) else {
            self.unknown(field);
            return;
        };
        // An empty map turns JetStream on in nats-server.
        let is_on = key == "jetstream" && matches!(field.kind, Kind::Map(_));
        if is_off(field.kind) && !is_on {
            return;
        }
        let name = field.name;
        match fate {
            Refused
                if self
                    .ignored
                    .iter()
                    .any(|path| *path == format!("{prefix}{key}")) =>
            {
                self.warn(
                    field.at,
                    format!("{name} is ignored (--config-ignore): {why}"),
                );
            }
            Needed | Refused => self.error(field.at, format!("{name}: {why}; {instead}")),
            Ignored => self.warn(field.at, format!("{name} has no effect: {why}; {instead}")),
        }
    }
}

/// Returns whether the value has the same meaning as no value.
fn is_off(kind: &Kind) -> bool {
    match kind {
        Kind::Boolean(value) => !value,
        Kind::Integer(value) => *value == 0,
        Kind::Text(text) => {
            let off = ["", "disabled", "disable", "off"];
            off.iter().any(|off| text.eq_ignore_ascii_case(off))
        }
        Kind::List(values) => values.is_empty(),
        Kind::Map(map) => map.entries().is_empty(),
        Kind::Float(_) | Kind::Date(_) => false,
    }
}

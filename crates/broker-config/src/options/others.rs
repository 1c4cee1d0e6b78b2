//! What nats-server has and Broker does not.

use super::reader::{Field, Reader};
use crate::grammar::Kind;

/// What becomes of a key that Broker does not have.
enum Fate {
    /// Without it, somebody could connect who must not, or do more than they may.
    Needed,
    /// Clients or operators would miss it, unless they say that they do not.
    Refused,
    /// It makes no difference.
    Ignored,
}

use Fate::{Ignored, Needed, Refused};

/// What to do without it.
const HUB: &str =
    "leave it out, or use nats-server for it and make Broker its leaf node (leafnodes.remotes)";

/// Keys, what becomes of them, why Broker lacks them, and what to do.
type Row = (&'static [&'static str], Fate, &'static str, &'static str);

/// The keys of a file.
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
        "Broker maps no subjects",
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
        "Broker knows no operators, and no users by JWT",
        "leave it out and list users in authorization, or use nats-server for it",
    ),
    (
        &["jetstream", "store_dir", "storedir", "default_js_domain"],
        Refused,
        "Broker stores no messages",
        HUB,
    ),
    (&["cluster"], Refused, "Broker forms no clusters", HUB),
    (&["gateway"], Refused, "Broker forms no clusters", HUB),
    (&["mqtt"], Refused, "Broker does not speak MQTT", HUB),
    (
        &["ocsp", "ocsp_cache"],
        Refused,
        "Broker does not speak OCSP",
        "leave it out, or put a proxy that staples in front",
    ),
    (
        &["client_advertise"],
        Refused,
        "Broker tells clients no other address",
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
        "leave it out and use logrotate or the like",
    ),
    (
        &["syslog", "remote_syslog"],
        Refused,
        "Broker does not log to syslog",
        "leave it out and take the log from standard error",
    ),
    (
        &["disable_sublist_cache", "no_sublist_cache"],
        Refused,
        "Broker finds subscriptions in its own way",
        "leave it out",
    ),
    (
        &["no_header_support"],
        Refused,
        "Broker always takes headers",
        "leave it out",
    ),
    (
        &["no_fast_producer_stall"],
        Refused,
        "Broker always holds fast producers back",
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
        "Broker keeps no list of closed connections",
        "leave it out",
    ),
    (
        &["max_traced_msg_len"],
        Ignored,
        "Broker logs no payloads",
        "leave it out",
    ),
    (
        &["logtime_utc"],
        Ignored,
        "the times of Broker's log have one form",
        "leave it out",
    ),
    (
        &["connect_error_reports", "reconnect_error_reports"],
        Ignored,
        "Broker has its own bound on what it logs of links",
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

/// The keys of `leafnodes` likewise.
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
        "Broker accepts no leaf nodes, it can only be one (remotes)",
        "leave it out",
    ),
    (
        &["compression"],
        Ignored,
        "Broker does not compress links",
        "leave it out",
    ),
];

/// The keys of a remote likewise.
const REMOTE: &[Row] = &[
    (
        &["hub"],
        Refused,
        "Broker is never the hub of a link that it dials",
        "leave it out",
    ),
    (
        &["compression"],
        Ignored,
        "Broker does not compress links",
        "leave it out",
    ),
    (
        &["no_randomize", "dont_randomize"],
        Ignored,
        "Broker has its own order of URLs",
        "leave it out",
    ),
    (
        &["first_info_timeout"],
        Ignored,
        "Broker has its own bound",
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
        "it is for hubs over WebSocket alone",
        "leave it out",
    ),
    (
        &["jetstream_cluster_migrate", "js_cluster_migrate"],
        Ignored,
        "Broker stores no messages",
        "leave it out",
    ),
];

/// The keys of `websocket` likewise.
const WEBSOCKET: &[Row] = &[
    (
        &["advertise"],
        Refused,
        "Broker tells clients no other address",
        "leave it out and give clients the address",
    ),
    (
        &["jwt_cookie"],
        Needed,
        "Broker knows no users by JWT",
        "leave it out, or use nats-server for it",
    ),
    (
        &["authorization", "authentication"],
        Needed,
        "Broker has the same authorization for all its ports",
        "leave it out, and set the authorization of the file",
    ),
];

/// Where a key is.
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

/// Whether an option that Broker does not have, such as `leafnodes.listen`, can be ignored: one
/// that nobody needs to be kept out.
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
    /// Judges a key that Broker does not have.
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
                self.warn(field.at, format!("{name} is ignored as told: {why}"));
            }
            Needed | Refused => self.error(field.at, format!("{name}: {why}; {instead}")),
            Ignored => self.warn(field.at, format!("{name} has no effect: {why}; {instead}")),
        }
    }
}

/// Whether it says no more than its absence.
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

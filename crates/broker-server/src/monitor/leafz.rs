//! `/leafz`: the connection to a hub, with nats-server's field names.

use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

use serde_json::Value;

use super::super::shared::Shared;
use super::time::{duration, timestamp};

/// Returns the fields of nats-server 2.10 that exist here. Each link also has its start time and
/// the number of links so far.
pub(super) fn leafz(shared: &Shared) -> Value {
    let now = SystemTime::now();
    let remote = shared.hub.as_ref();
    let up = remote.and_then(|remote| Some((remote, remote.link()?)));
    let leafs: Vec<_> = up
        .into_iter()
        .map(|(remote, up)| {
            object! {
                "name": up.server_name.as_str(),
                "is_spoke": true,
                "account": "$G",
                "remote_account": up.account,
                "server_id": up.server_id,
                "domain": up.domain,
                "ip": up.address.host,
                "port": up.address.port,
                "in_msgs": remote.in_msgs.load(Relaxed),
                "out_msgs": remote.out_msgs.load(Relaxed),
                "in_bytes": remote.in_bytes.load(Relaxed),
                "out_bytes": remote.out_bytes.load(Relaxed),
                "since": timestamp(up.since),
                "uptime": duration(now.duration_since(up.since).unwrap_or_default()),
                "links": remote.links.load(Relaxed),
            }
        })
        .collect();
    object! {
        "server_id": shared.settings().info.server_id.as_str(),
        "now": timestamp(now),
        "leafnodes": leafs.len(),
        "leafs": leafs,
    }
}

//! The JSON of a hub's INFO.

use serde::Deserialize;

use crate::ProtocolError;

/// The fields of a hub's INFO that a leaf node needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the protocol")]
pub struct HubInfo {
    /// Unique for each run of a server.
    pub server_id: String,
    /// The server's display name.
    pub server_name: String,
    /// Version of nats-server.
    pub version: String,
    /// Number of the connection; 0 at a port for other servers.
    pub client_id: u64,
    /// The nonce that a leaf node with an NKey must sign.
    pub nonce: String,
    /// The connection continues with TLS right after this line.
    pub tls_required: bool,
    /// The leaf node needs a certificate.
    pub tls_verify: bool,
    /// The hub supports messages with headers.
    pub headers: bool,
    /// The hub has JetStream.
    pub jetstream: bool,
    /// The domain of its JetStream.
    pub domain: String,
    /// The name of its cluster.
    pub cluster: String,
    /// Leaf node addresses of the whole cluster, as `host:port`. `None` at a port that is not for
    /// leaf nodes.
    pub leafnode_urls: Option<Vec<String>>,
    /// The hub answers CONNECT with another INFO.
    pub info_on_connect: bool,
    /// This INFO is the answer to CONNECT.
    pub connect_info: bool,
    /// What the leaf node may receive from the hub and subscribe to.
    pub import: Option<Permission>,
    /// What the leaf node may send to the hub.
    pub export: Option<Permission>,
    /// The account that the hub binds the leaf node to.
    pub remote_account: String,
}

/// Allowed and denied subjects. Deny takes precedence; without an allow list all subjects are
/// allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Permission {
    /// Allowed; `None` for all.
    pub allow: Option<Vec<String>>,
    /// Denied.
    pub deny: Vec<String>,
}

impl HubInfo {
    /// Parses the argument of INFO.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Arguments`] if it is not JSON with fields of the right types.
    pub fn parse(json: &[u8]) -> Result<Self, ProtocolError> {
        serde_json::from_slice(json).map_err(|_| ProtocolError::Arguments)
    }

    /// Returns whether the INFO is from a port for leaf nodes. Ports for clients, routes and
    /// gateways send INFO as well.
    #[must_use]
    pub fn is_for_leaf_nodes(&self) -> bool {
        self.client_id != 0 && self.leafnode_urls.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_identifies_a_port_for_leaf_nodes() {
        for (json, is) in [
            (&b"{\"client_id\":7,\"leafnode_urls\":[]}"[..], true),
            (
                b"{\"client_id\":7,\"leafnode_urls\":[\"a:1\"],\"new\":{}}",
                true,
            ),
            (b"{\"client_id\":7}", false),
            (b"{\"leafnode_urls\":[]}", false),
        ] {
            let info = HubInfo::parse(json).expect("it is JSON");
            assert_eq!(info.is_for_leaf_nodes(), is, "{}", json.escape_ascii());
        }
        let json = b"{\"import\":{\"allow\":[\"a\"]},\"export\":{\"deny\":[\"b.>\"]}}";
        let info = HubInfo::parse(json).expect("it is JSON");
        let permission = |allow: Option<&str>, deny: Option<&str>| Permission {
            allow: allow.map(|subject| vec![subject.to_owned()]),
            deny: deny.map(str::to_owned).into_iter().collect(),
        };
        assert_eq!(info.import, Some(permission(Some("a"), None)));
        assert_eq!(info.export, Some(permission(None, Some("b.>"))));
        for json in [&b"{"[..], b"5", b"{\"client_id\":-1}", b"{\"nonce\":5}"] {
            assert_eq!(HubInfo::parse(json), Err(ProtocolError::Arguments));
        }
    }
}

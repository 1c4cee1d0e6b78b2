//! The CONNECT of a leaf node and its JSON.

use serde::Serialize;

use crate::{Login, PROTOCOL_VERSION};

/// CONNECT from a leaf node.
#[derive(Debug, Serialize)]
pub struct LeafConnect<'a> {
    /// Protocol level.
    pub version: &'static str,
    /// The server's id.
    pub server_id: &'a str,
    /// The server's name. A hub accepts only one leaf node per name and cluster.
    pub name: &'a str,
    /// The server's cluster: the hub does not send messages back to the cluster that they came
    /// from. A single server uses its name.
    pub cluster: &'a str,
    /// The account on the leaf node's side.
    pub remote_account: &'static str,
    /// The leaf node supports messages with headers.
    pub headers: bool,
    /// Subjects that the hub must not send.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub deny_pub: &'a [String],
    /// The credentials.
    #[serde(flatten)]
    pub login: &'a Login,
    /// The proof of an NKey or JWT.
    #[serde(flatten)]
    pub proof: &'a LeafProof,
}

/// Proof of identity by a key.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LeafProof {
    /// The public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<String>,
    /// The user's JWT, instead of the public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<String>,
    /// The signature of the hub's nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

impl<'a> LeafConnect<'a> {
    /// Returns CONNECT for the server with this id and name.
    #[must_use]
    pub fn new(
        server_id: &'a str,
        name: &'a str,
        deny_pub: &'a [String],
        login: &'a Login,
        proof: &'a LeafProof,
    ) -> Self {
        Self {
            version: PROTOCOL_VERSION,
            server_id,
            name,
            cluster: name,
            remote_account: "$G",
            headers: true,
            deny_pub,
            login,
            proof,
        }
    }

    /// Returns the whole line, including its end.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("CONNECT {json}\r\n").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_is_one_line_without_unknown_fields() {
        let login = Login {
            user: Some("a\n".to_owned()),
            ..Login::default()
        };
        let line = LeafConnect::new("ID", "edge", &[], &login, &LeafProof::default()).line();
        assert_eq!(
            line.escape_ascii().to_string().replace("\\\"", "'"),
            "CONNECT {'version':'2.10.27','server_id':'ID','name':'edge','cluster':'edge',\
             'remote_account':'$G','headers':true,'user':'a\\\\n'}\\r\\n"
        );
    }
}

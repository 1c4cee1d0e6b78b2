//! INFO: what the server tells of itself.

use serde::Serialize;

/// The version that INFO tells: that of the nats-server whose protocol this follows,
/// which `tests/conformance` asks for the same answers.
///
/// Clients take the version for the level of the protocol: told Broker's own, they
/// take it for a server of 2018 and do without what they think it lacks.
pub const PROTOCOL_VERSION: &str = "2.10.27";

/// The version of Go that INFO tells; here it is the version of Rust.
///
/// It means nothing to clients, but some cannot read INFO without it: Python's
/// nats-core, the crate `nats` and nats.swift.
pub const GO: &str = concat!("rust", env!("CARGO_PKG_RUST_VERSION"));

/// The fields of INFO, by nats-server's names, that are not the same for all.
#[derive(Debug, Clone, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol has them so")]
pub struct ServerInfo {
    /// Unique for each run of a server.
    pub server_id: String,
    /// A name for people.
    pub server_name: String,
    /// Version of Broker. INFO tells [`PROTOCOL_VERSION`] in its place.
    #[serde(skip)]
    pub version: &'static str,
    /// What INFO tells as the version: [`PROTOCOL_VERSION`].
    #[serde(rename = "version")]
    pub protocol_version: &'static str,
    /// [`GO`].
    pub go: &'static str,
    /// 1: the server understands `echo` and sends INFO at any time.
    pub proto: u8,
    /// Address it listens at.
    pub host: String,
    /// Port it listens at.
    pub port: u16,
    /// Messages with headers are understood.
    pub headers: bool,
    /// Credentials are wanted in CONNECT.
    #[serde(skip_serializing_if = "is_false")]
    pub auth_required: bool,
    /// The connection goes on with TLS right after this line.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_required: bool,
    /// The connection may go on with TLS right after this line.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_available: bool,
    /// A certificate of the client is wanted too.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_verify: bool,
    /// What a client with an NKey has to sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Largest payload, headers counted in, in bytes.
    pub max_payload: usize,
    /// Number of the connection.
    pub client_id: u64,
    /// Address of the client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_ip: String,
    /// "Lame duck mode": the server is about to end, clients should go elsewhere.
    #[serde(skip_serializing_if = "is_false")]
    pub ldm: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl ServerInfo {
    /// The whole line, with its end.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("INFO {json}\r\n").into_bytes()
    }
}

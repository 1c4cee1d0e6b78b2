//! INFO: the server's description of itself.

use serde::Serialize;

/// The version in INFO: that of the nats-server release whose protocol Broker follows.
/// `tests/conformance` compares the answers of both.
///
/// Clients derive the supported features from this version. With Broker's own version they would
/// assume a server of 2018 and disable features.
pub const PROTOCOL_VERSION: &str = "2.10.27";

/// The Go version in INFO; Broker sends its Rust version.
///
/// Clients do not use it, but some cannot parse INFO without it: Python's nats-core, the crate
/// `nats` and nats.swift.
pub const GO: &str = concat!("rust", env!("CARGO_PKG_RUST_VERSION"));

/// The fields of INFO, by nats-server's names, that differ between servers or connections.
#[derive(Debug, Clone, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the protocol")]
pub struct ServerInfo {
    /// Unique for each run of a server.
    pub server_id: String,
    /// The server's display name.
    pub server_name: String,
    /// Version of Broker, which INFO does not contain; see [`PROTOCOL_VERSION`].
    #[serde(skip)]
    pub version: &'static str,
    /// The version in INFO: [`PROTOCOL_VERSION`].
    #[serde(rename = "version")]
    pub protocol_version: &'static str,
    /// [`GO`].
    pub go: &'static str,
    /// 1: the server supports `echo` and sends INFO at any time.
    pub proto: u8,
    /// The listen address.
    pub host: String,
    /// The listen port.
    pub port: u16,
    /// The server supports messages with headers.
    pub headers: bool,
    /// CONNECT must contain credentials.
    #[serde(skip_serializing_if = "is_false")]
    pub auth_required: bool,
    /// The connection continues with TLS right after this line.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_required: bool,
    /// The connection may continue with TLS right after this line.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_available: bool,
    /// The client needs a certificate.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_verify: bool,
    /// The nonce that a client with an NKey must sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Largest payload in bytes, including headers.
    pub max_payload: usize,
    /// Number of the connection.
    pub client_id: u64,
    /// Address of the client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_ip: String,
    /// Lame duck mode: the server is about to stop, and clients should connect elsewhere.
    #[serde(skip_serializing_if = "is_false")]
    pub ldm: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde requires it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl ServerInfo {
    /// Returns the whole line, including its end.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("INFO {json}\r\n").into_bytes()
    }
}

//! The terms on which the WebSocket port takes connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use super::super::config::WebSocketConfig;
use super::super::origin::Origin;
use super::super::tls::{self, TlsError};
use broker_protocol::{Limits, ServerInfo};

/// Limit for a decompressed message: a number of frames of the largest NATS message, and a number
/// of bytes. nats.js sends its buffer when a publish finds 32 KiB in it, or one frame of any size.
const MOST_FRAMES: usize = 2;
const MOST_COLLECTED: usize = 64 * 1024;

/// The rules for requests and messages.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(super) same_origin: bool,
    pub(super) allowed_origins: Vec<Origin>,
    pub(super) compression: bool,
    pub(super) encrypted: bool,
    /// Most bytes of a decompressed message.
    pub(super) most: usize,
}

/// The terms for new connections, which a reload renews.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    asks_for_certificates: bool,
    pub(crate) handshake_timeout: Duration,
    pub(crate) rules: Arc<Rules>,
}

impl Terms {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// The TLS files are unusable.
    pub(crate) fn new(config: &WebSocketConfig, limits: &Limits) -> Result<Self, TlsError> {
        let files = config.tls.as_ref();
        Ok(Self {
            tls: files.map(tls::load).transpose()?,
            asks_for_certificates: files.is_some_and(|files| files.ca.is_some()),
            handshake_timeout: config.handshake_timeout,
            rules: Arc::new(Rules {
                same_origin: config.same_origin,
                allowed_origins: config.allowed_origins.clone(),
                compression: config.compression,
                encrypted: files.is_some(),
                most: MOST_FRAMES * (limits.max_payload + limits.max_control_line) + MOST_COLLECTED,
            }),
        })
    }

    /// Logs the port's address.
    pub(crate) fn log(&self, address: SocketAddr) {
        if self.tls.is_some() {
            tracing::info!("Listening for websocket clients on wss://{address}");
            return;
        }
        tracing::info!("Listening for websocket clients on ws://{address}");
        if !address.ip().is_loopback() {
            tracing::warn!(
                "traffic to ws://{address} is not encrypted: set --websocket-tls-cert, or listen on loopback behind a TLS proxy"
            );
        }
    }

    /// Sets the fields of INFO that differ for clients of the port with this address.
    pub(crate) fn put_into(&self, info: &mut ServerInfo, address: SocketAddr) {
        info.host = address.ip().to_string();
        info.port = address.port();
        info.tls_required = self.tls.is_some();
        info.tls_available = self.tls.is_some();
        info.tls_verify = self.asks_for_certificates;
    }
}

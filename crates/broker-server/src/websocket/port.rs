//! The port for WebSocket, and what all of its connections go by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use super::super::config::WebSocketConfig;
use super::super::origin::Origin;
use super::super::tls::{self, TlsError};
use broker_protocol::{Limits, ServerInfo};

/// What may come of a compressed message: so many of the largest frames of NATS, and so many
/// bytes. nats.js sends what it has when a publication finds 32 KiB waiting, or one frame,
/// of any size.
const MOST_FRAMES: usize = 2;
const MOST_COLLECTED: usize = 64 * 1024;

/// What a request and messages are judged by.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(super) same_origin: bool,
    pub(super) allowed_origins: Vec<Origin>,
    pub(super) compression: bool,
    pub(super) encrypted: bool,
    /// Bytes that one compressed message may become.
    pub(super) most: usize,
}

/// The port, open.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    asks_for_certificates: bool,
    pub(crate) handshake_timeout: Duration,
    pub(crate) rules: Arc<Rules>,
}

impl Port {
    /// `address` is the one really bound.
    ///
    /// # Errors
    ///
    /// When the files for TLS are of no use.
    pub(crate) fn new(
        config: &WebSocketConfig,
        address: SocketAddr,
        limits: &Limits,
    ) -> Result<Self, TlsError> {
        let files = config.tls.as_ref();
        Ok(Self {
            address,
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

    /// Tells of it in the log.
    pub(crate) fn log(&self) {
        let address = self.address;
        if self.tls.is_some() {
            tracing::info!("Listening for websocket clients on wss://{address}");
            return;
        }
        tracing::info!("Listening for websocket clients on ws://{address}");
        if !address.ip().is_loopback() {
            tracing::warn!(
                "whoever is on the way to ws://{address} can read all of it: give --websocket-tls-cert, or listen on loopback behind a proxy that has TLS"
            );
        }
    }

    /// Changes INFO to what is so for clients by WebSocket.
    pub(crate) fn put_into(&self, info: &mut ServerInfo) {
        info.host = self.address.ip().to_string();
        info.port = self.address.port();
        info.tls_required = self.tls.is_some();
        info.tls_available = self.tls.is_some();
        info.tls_verify = self.asks_for_certificates;
    }
}

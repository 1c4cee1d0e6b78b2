//! A connection as a row of `/connz`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::about::{About, TlsUsed};
use super::connection::Connection;
use super::tally::Tally;

/// The numbers of a connection, by which rows can be sorted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) cid: u64,
    pub(crate) start: Instant,
    /// When the client last published, subscribed, unsubscribed or got a message.
    pub(crate) last: Instant,
    /// The round-trip time of the client's last PONG.
    pub(crate) rtt: Duration,
    /// Pending output in bytes.
    pub(crate) pending: usize,
    pub(crate) subscriptions: usize,
    pub(crate) tally: Tally,
}

impl Figures {
    /// Returns a connection's current numbers.
    pub(crate) fn of(client: &Connection) -> Self {
        Self {
            cid: client.id,
            start: client.start,
            last: client.last_activity(),
            rtt: client.rtt,
            pending: client.output.pending(),
            subscriptions: client.subscriptions.len() + client.ended_subscriptions,
            tally: client.tally,
        }
    }
}

/// The content of a row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) figures: Figures,
    pub(crate) address: SocketAddr,
    pub(crate) about: Option<Box<About>>,
    pub(crate) tls: Option<TlsUsed>,
    /// Whether it is a WebSocket connection.
    pub(crate) websocket: bool,
}

impl Row {
    /// Returns a connection's current row.
    pub(crate) fn of(client: &Connection) -> Self {
        let mut about = client.about.clone();
        if !client.user().is_empty() {
            about.get_or_insert_default().user = client.user().into();
        }
        Self {
            figures: Figures::of(client),
            address: client.address,
            about,
            tls: client.transport.tls(),
            websocket: client.transport.is_websocket(),
        }
    }
}

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
    /// How long the client took for its last answer.
    pub(crate) rtt: Duration,
    /// Bytes that wait for it.
    pub(crate) pending: usize,
    pub(crate) subscriptions: usize,
    pub(crate) tally: Tally,
}

impl Figures {
    /// Those of a connection now.
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

/// What is told of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) figures: Figures,
    pub(crate) address: SocketAddr,
    pub(crate) about: Option<Box<About>>,
    pub(crate) tls: Option<TlsUsed>,
    /// Whether it goes by WebSocket.
    pub(crate) websocket: bool,
}

impl Row {
    /// That of a connection now.
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

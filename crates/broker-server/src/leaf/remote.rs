//! The state of a hub, with or without a connection to it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use broker_protocol::{Address, HubInfo, parse_url};

use super::backoff::Cause;
use super::{Leaf, LeafUrl, PORT};
use crate::key::ConnectionKey;
use crate::log_limit::{LogLimit, Verdict};

/// Most addresses of a hub to remember besides the configured ones.
const MOST_LEARNT: usize = 256;

/// Log lines per second about messages, and about subscriptions, that cannot pass.
const MOST_LOGGED: u32 = 1;

/// An event for the thread that connects.
#[derive(Debug)]
pub(crate) enum Event {
    /// The link has ended.
    Ended(Ended),
    /// The server is shutting down.
    Stop,
}

/// The end of a link.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) cause: Cause,
    pub(crate) why: String,
    pub(crate) was_up: bool,
}

/// A link that is up.
#[derive(Debug, Clone)]
pub(crate) struct Up {
    pub(crate) since: SystemTime,
    pub(crate) address: Address,
    pub(crate) server_id: String,
    pub(crate) server_name: String,
    pub(crate) domain: String,
    pub(crate) account: String,
}

/// The state of a hub, with or without a link.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) leaf: Leaf,
    pub(crate) server_id: String,
    pub(crate) name: String,
    /// The id by which a loop of leaf nodes is detected.
    pub(crate) loop_id: String,
    /// Addresses that the hub reported.
    learnt: Mutex<Vec<Address>>,
    up: Mutex<Option<Up>>,
    /// The id in the current connection's key; 0 for none.
    connection: AtomicU32,
    /// Limits log lines about subscriptions with too many shapes.
    too_many_shapes: Mutex<LogLimit>,
    pub(crate) in_msgs: AtomicU64,
    pub(crate) out_msgs: AtomicU64,
    pub(crate) in_bytes: AtomicU64,
    pub(crate) out_bytes: AtomicU64,
    /// Links since the start.
    pub(crate) links: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Remote {
    pub(crate) fn new(leaf: Leaf, server_id: String, name: String) -> Self {
        // As long as nats-server's.
        let loop_id = std::iter::repeat_with(fastrand::alphanumeric);
        Self {
            leaf,
            server_id,
            name,
            loop_id: loop_id.take(22).collect(),
            learnt: Mutex::default(),
            up: Mutex::default(),
            connection: AtomicU32::new(0),
            too_many_shapes: Mutex::new(LogLimit::new(MOST_LOGGED)),
            in_msgs: AtomicU64::default(),
            out_msgs: AtomicU64::default(),
            in_bytes: AtomicU64::default(),
            out_bytes: AtomicU64::default(),
            links: AtomicU64::default(),
        }
    }

    /// Records that the link is down.
    pub(super) fn down(&self) {
        *lock(&self.up) = None;
    }

    /// Returns the link, if it is up.
    pub(crate) fn link(&self) -> Option<Up> {
        lock(&self.up).clone()
    }

    /// Records the current connection.
    pub(crate) fn set_connection(&self, key: Option<ConnectionKey>) {
        self.connection.store(key.map_or(0, |key| key.id), Relaxed);
    }

    /// Returns whether this is the current connection. The routes keep an earlier connection's
    /// subscriptions for a while.
    pub(crate) fn is_connection(&self, key: ConnectionKey) -> bool {
        self.connection.load(Relaxed) == key.id
    }

    /// Remembers addresses that the hub reported, as `host:port`.
    pub(crate) fn learn_urls(&self, urls: &[String]) {
        let urls = urls.iter().take(MOST_LEARNT);
        let addresses = urls.filter_map(|url| parse_url(url, PORT).ok());
        let addresses: Vec<_> = addresses.map(|url| url.address).collect();
        if !addresses.is_empty() {
            *lock(&self.learnt) = addresses;
        }
    }

    /// Records that the link is up.
    pub(crate) fn up(&self, address: &Address, info: &HubInfo) {
        self.links.fetch_add(1, Relaxed);
        let name = if info.server_name.is_empty() {
            &info.server_id
        } else {
            &info.server_name
        };
        tracing::info!("connected to hub {name} at {address}");
        *lock(&self.up) = Some(Up {
            since: SystemTime::now(),
            address: address.clone(),
            server_id: info.server_id.clone(),
            server_name: name.clone(),
            domain: info.domain.clone(),
            account: info.remote_account.clone(),
        });
    }

    /// Records a subscription of the hub that was rejected because of its shape.
    #[cold]
    pub(crate) fn too_many_shapes(&self, subject: &[u8]) {
        let mut log = lock(&self.too_many_shapes);
        if log.judge(Instant::now()) == Verdict::Log {
            tracing::warn!(
                "messages to {} are not sent to the hub: subscriptions have too many combinations of wildcard positions",
                subject.escape_ascii()
            );
        }
    }

    /// Returns all addresses in the order of connection attempts: those that the hub reported, then
    /// the configured ones.
    pub(super) fn urls(&self) -> Vec<LeafUrl> {
        let given = &self.leaf.urls;
        // All addresses use the same credentials, as in nats-server.
        let login = given.iter().map(|url| &url.login);
        let login = login.max_by_key(|login| login.user.is_some() || login.token.is_some());
        let login = login.cloned().unwrap_or_default();
        let learnt = lock(&self.learnt).clone().into_iter();
        let learnt = learnt.filter(|address| given.iter().all(|url| url.address != *address));
        let mut urls: Vec<_> = learnt
            .map(|address| LeafUrl {
                address,
                login: login.clone(),
                tls: given.iter().any(|url| url.tls),
            })
            .collect();
        fastrand::shuffle(&mut urls);
        urls.extend(given.iter().cloned());
        urls
    }
}

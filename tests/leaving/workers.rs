//! Connections on a chosen worker.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::server::{PATIENCE, Server};

/// A server with two workers, and the number of its connections.
///
/// A server hands a new connection to the worker with the fewest. These tests open and close
/// connections in pairs, and only when the server's count is up to date. Both workers then have
/// equally many, so the first connection of a pair goes to worker 0 and the second to worker 1.
pub(crate) struct Workers {
    pub(crate) server: Server,
    pairs: Arc<AtomicU64>,
}

/// A connection, and its twin on the other worker.
pub(crate) struct Placed {
    client: Client,
    twin: Client,
    pairs: Arc<AtomicU64>,
}

impl Workers {
    pub(crate) fn start(more: &[&str]) -> Self {
        let arguments = ["--workers", "2", "--http", "127.0.0.1:0"];
        // The test's clients do not answer PING.
        let quiet = ["--ping-interval", "86400"];
        Self {
            server: Server::start(&[&arguments[..], &quiet, more].concat()),
            pairs: Arc::default(),
        }
    }

    /// Opens a connection on worker 0 or 1, and sends CONNECT.
    pub(crate) fn connect(&self, worker: usize) -> Placed {
        self.wait_for_those_that_left();
        let (first, second) = (self.server.connect(), self.server.connect());
        self.pairs.fetch_add(1, Ordering::Relaxed);
        let (client, twin) = match worker {
            0 => (first, second),
            _ => (second, first),
        };
        Placed {
            client,
            twin,
            pairs: Arc::clone(&self.pairs),
        }
    }

    /// Waits until the server has noticed closed connections.
    fn wait_for_those_that_left(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open = 2 * self.pairs.load(Ordering::Relaxed);
            let counted = self.server.varz()["connections"].as_u64();
            if counted == Some(open) {
                return;
            }
            let late = Instant::now() > deadline;
            assert!(!late, "{counted:?} connections, not {open}");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Returns one of the server's counters.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.server.varz()[name].as_u64().expect("a counter")
    }
}

impl Placed {
    /// Returns the connection on the other worker.
    pub(crate) fn twin(&mut self) -> &mut Client {
        &mut self.twin
    }
}

impl Deref for Placed {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Placed {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        // Both connections end right after this.
        self.pairs.fetch_sub(1, Ordering::Relaxed);
    }
}

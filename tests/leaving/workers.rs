//! Connections on the worker that a test chooses.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::server::{PATIENCE, Server};

/// A server with two workers, and what is known of its connections.
///
/// A server hands a new connection to the worker with the fewest. Connections are
/// opened and closed in pairs here, and only while the server counts as many as there
/// are: both workers have equally many then, so that the first of a pair goes to worker
/// 0 and the second to worker 1.
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
        // Nobody here answers a PING, for as long as a test takes.
        let quiet = ["--ping-interval", "86400"];
        Self {
            server: Server::start(&[&arguments[..], &quiet, more].concat()),
            pairs: Arc::default(),
        }
    }

    /// A connection, after its CONNECT, on worker 0 or 1.
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

    /// The server sees that a connection has ended when it comes round.
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

    /// One of the server's counters.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.server.varz()[name].as_u64().expect("a counter")
    }
}

impl Placed {
    /// The connection on the other worker.
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
        // Both end right after this; until then they are waited for in vain.
        self.pairs.fetch_sub(1, Ordering::Relaxed);
    }
}

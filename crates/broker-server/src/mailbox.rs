//! A worker's mailbox: a queue, and a way to wake the worker up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Instant;

use crossbeam::queue::SegQueue;
use mio::Waker;
use mio::net::TcpStream;

use super::access::Grant;
use super::batch::Batch;
use super::inspect::Asked;
use super::key::ConnectionKey;
use super::leaf::link::Dialled;
use super::settings::Settings;
use broker_protocol::Connect;

/// An accepted connection.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) address: SocketAddr,
    /// The connection's number.
    pub(crate) id: u64,
    /// The connection came in at the WebSocket port.
    pub(crate) websocket: bool,
}

/// A CONNECT with a hashed password to be checked. Each connection has at most one, and is not read
/// from until the check is done.
pub(crate) type Given = (ConnectionKey, Box<Connect>);

/// An item of the queue.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Messages for the worker's connections, and the worker that filled the batch.
    Messages(Batch, usize),
    /// The worker's connection publishes faster than a subscriber can read, and must be stalled
    /// until this time.
    Stall(ConnectionKey, Instant),
    /// No subscriber got a request of the worker's connection, which wants status 503 for this
    /// reply subject.
    NoResponders(ConnectionKey, Box<[u8]>),
    /// The result of checking a CONNECT of the worker's connection: the user, if the credentials
    /// are right.
    Verified(ConnectionKey, Box<Connect>, Option<Arc<Grant>>),
    /// New settings. The second value is dropped when the worker drops it.
    Settings(Arc<Settings>, Arc<()>),
    /// There are too many connections: close this number of the newest.
    Excess(usize),
    /// A question of the monitor.
    Asked(Box<Asked>),
    /// The memory limit is exceeded, and this worker may have the largest connections.
    Shed,
    /// Lame duck mode has begun: inform the clients.
    LameDuck,
    /// Lame duck mode: close the connection of one client.
    LetGo,
    /// The server drains.
    Drain,
    /// The server ends at once.
    Stop,
}

impl Mail {
    /// Returns whether clients may get output because of it, which a drain must wait for.
    fn has_consequences(&self) -> bool {
        matches!(self, Self::Messages(..) | Self::NoResponders(..))
    }
}

/// The mailbox of one worker.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: SegQueue<Mail>,
    /// New connections, apart from messages, which must not wait for them.
    connections: SegQueue<Accepted>,
    /// New connections to hubs.
    links: SegQueue<Dialled>,
    /// A hub of the worker must be informed about changed subscriptions.
    interest: AtomicBool,
    /// Bytes of the messages in the queue.
    bytes: AtomicUsize,
    /// Number of mails with consequences that were sent, and of those that were processed with
    /// everything that followed.
    sent: AtomicU64,
    settled: AtomicU64,
    /// A worker waits until the mailbox has fewer messages.
    awaited: AtomicBool,
    asleep: AtomicBool,
    /// The worker has ended: no mail is read any more.
    closed: AtomicBool,
    waker: Waker,
}

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            queue: SegQueue::new(),
            connections: SegQueue::new(),
            links: SegQueue::new(),
            interest: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            waker,
        }
    }

    /// Adds mail, and wakes the worker up if it sleeps.
    pub(crate) fn send(&self, mail: Mail) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        if let Mail::Messages(batch, _) = &mail {
            self.bytes.fetch_add(batch.bytes(), Ordering::Relaxed);
        }
        if mail.has_consequences() {
            self.sent.fetch_add(1, Ordering::SeqCst);
        }
        self.queue.push(mail);
        self.rouse();
    }

    /// Adds a new connection.
    pub(crate) fn send_connection(&self, accepted: Accepted) {
        if !self.closed.load(Ordering::Relaxed) {
            self.connections.push(accepted);
            self.rouse();
        }
    }

    /// Adds a new connection to a hub.
    pub(crate) fn send_link(&self, dialled: Dialled) {
        if !self.closed.load(Ordering::Relaxed) {
            self.links.push(dialled);
            self.rouse();
        }
    }

    /// Takes the oldest connection to a hub.
    pub(crate) fn take_link(&self) -> Option<Dialled> {
        self.links.pop()
    }

    /// Makes the worker inform its hubs about changed subscriptions.
    pub(crate) fn call_for_interest(&self) {
        self.interest.store(true, Ordering::Relaxed);
        self.rouse();
    }

    /// Returns whether that was requested since the last call.
    pub(crate) fn take_interest(&self) -> bool {
        self.interest.load(Ordering::Relaxed) && self.interest.swap(false, Ordering::Acquire)
    }

    /// Takes the oldest connection.
    pub(crate) fn take_connection(&self) -> Option<Accepted> {
        self.connections.pop()
    }

    /// Closes the mailbox of a worker that has ended, so no thread waits for it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        while self.take().is_some() {}
        while self.connections.pop().is_some() {}
        while self.links.pop().is_some() {}
    }

    /// Wakes the worker up if it sleeps.
    pub(crate) fn rouse(&self) {
        // Together with the fence in `fall_asleep`: either the worker sees the change, or this
        // thread sees the worker asleep.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            self.wake();
        }
    }

    /// Wakes the worker up. This does not fail for lack of resources: the worker's counter is a
    /// single number.
    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake()
            && error.kind() != io::ErrorKind::WouldBlock
        {
            tracing::error!("cannot wake up a worker: {error}");
        }
    }

    /// Takes the oldest mail.
    pub(crate) fn take(&self) -> Option<Mail> {
        let mail = self.queue.pop()?;
        if let Mail::Messages(batch, _) = &mail {
            self.bytes.fetch_sub(batch.bytes(), Ordering::Relaxed);
        }
        Some(mail)
    }

    /// Records that a mail with consequences was processed, and its consequences sent.
    pub(crate) fn settle(&self) {
        self.settled.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns the number of processed mails with consequences.
    pub(crate) fn settled(&self) -> u64 {
        if self.closed.load(Ordering::SeqCst) {
            // The mail of a worker that has ended is lost, and must not be waited for.
            return self.sent();
        }
        self.settled.load(Ordering::SeqCst)
    }

    /// Returns the number of sent mails with consequences.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Requests a wake-up when the mailbox has fewer messages.
    pub(crate) fn await_room(&self) {
        self.awaited.store(true, Ordering::Relaxed);
    }

    /// Returns whether that was requested since the last call.
    pub(crate) fn was_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) && self.awaited.swap(false, Ordering::Relaxed)
    }

    /// Returns the number of mails.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Returns whether the mailbox is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
            && self.connections.is_empty()
            && self.links.is_empty()
            && !self.interest.load(Ordering::Relaxed)
    }

    /// Returns the bytes of the queued messages.
    pub(crate) fn bytes(&self) -> usize {
        if self.closed.load(Ordering::Relaxed) {
            return 0;
        }
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns whether the worker waits for events.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Relaxed)
    }

    /// Called by the worker before it waits. Returns whether it may.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.is_empty()
    }

    /// Called by the worker after it has waited.
    pub(crate) fn wake_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }
}

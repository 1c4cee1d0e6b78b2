//! How others reach a worker: a queue, and a way to wake it up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Duration;

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

/// A connection that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) address: SocketAddr,
    /// Its number.
    pub(crate) id: u64,
    /// It came to the port for WebSocket.
    pub(crate) websocket: bool,
}

/// A CONNECT whose password takes long to check. There is one at most for each
/// connection, which is not read from until it is done.
pub(crate) type Given = (ConnectionKey, Box<Connect>);

/// What can be in the queue.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Messages for connections that it owns, and the worker that filled the batch.
    Messages(Batch, usize),
    /// A connection that it owns publishes faster than somebody can take, and is
    /// to be stalled for so long.
    Stall(ConnectionKey, Duration),
    /// Nobody got a request of a connection that it owns, which wants to know it by
    /// this subject.
    NoResponders(ConnectionKey, Box<[u8]>),
    /// Who a connection that it owns is by what it has given in this CONNECT, if that is
    /// right.
    Verified(ConnectionKey, Box<Connect>, Option<Arc<Grant>>),
    /// The server goes by these from now on. The second is dropped when the worker does.
    Settings(Arc<Settings>, Arc<()>),
    /// The monitor asks something.
    Asked(Box<Asked>),
    /// There is too much memory in use, and most of it may be its.
    Shed,
    /// The server takes no connections any more, and is going to close those that it has.
    LameDuck,
    /// The server is a lame duck, and one of the worker's clients is to be let go.
    LetGo,
    /// The server is about to end.
    Drain,
    /// The server ends at once.
    Stop,
}

impl Mail {
    /// Whether clients get something by it, for which the end of the server waits.
    fn has_consequences(&self) -> bool {
        matches!(self, Self::Messages(..) | Self::NoResponders(..))
    }
}

/// The queue of one worker.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: SegQueue<Mail>,
    /// Connections to own. Messages do not wait for them.
    connections: SegQueue<Accepted>,
    /// Connections to hubs to own.
    links: SegQueue<Dialled>,
    /// A hub of it has not been told yet what clients have come to want.
    interest: AtomicBool,
    /// Bytes of the messages in the queue.
    bytes: AtomicUsize,
    /// Mail with consequences ever sent, and that of it which was carried out, with all
    /// that followed.
    sent: AtomicU64,
    settled: AtomicU64,
    /// Some worker sends nothing until there is less.
    awaited: AtomicBool,
    asleep: AtomicBool,
    /// Its worker is dead: nothing is read any more.
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

    /// Puts something into the queue; the worker is woken up only if it sleeps.
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

    /// Gives the worker a connection to own.
    pub(crate) fn send_connection(&self, accepted: Accepted) {
        if !self.closed.load(Ordering::Relaxed) {
            self.connections.push(accepted);
            self.rouse();
        }
    }

    /// Gives the worker a connection to a hub to own.
    pub(crate) fn send_link(&self, dialled: Dialled) {
        if !self.closed.load(Ordering::Relaxed) {
            self.links.push(dialled);
            self.rouse();
        }
    }

    /// Takes the oldest of the connections to hubs.
    pub(crate) fn take_link(&self) -> Option<Dialled> {
        self.links.pop()
    }

    /// Has the worker tell its hubs what clients have come to want.
    pub(crate) fn call_for_interest(&self) {
        self.interest.store(true, Ordering::Relaxed);
        self.rouse();
    }

    /// Whether that was called for since.
    pub(crate) fn take_interest(&self) -> bool {
        self.interest.load(Ordering::Relaxed) && self.interest.swap(false, Ordering::Acquire)
    }

    /// Takes the oldest of the connections.
    pub(crate) fn take_connection(&self) -> Option<Accepted> {
        self.connections.pop()
    }

    /// Takes nothing more: the worker is dead, and nobody may wait for it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        while self.queue.pop().is_some() {}
        while self.connections.pop().is_some() {}
        while self.links.pop().is_some() {}
    }

    /// Wakes the worker up if it sleeps.
    pub(crate) fn rouse(&self) {
        // With the fence in `fall_asleep`: either the worker sees what was done
        // before, or this sees the worker asleep.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            self.wake();
        }
    }

    /// Wakes the worker up. It cannot fail for want of anything: the worker's
    /// counter is a single number.
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

    /// Mail with consequences was carried out, and what followed from it was sent.
    pub(crate) fn settle(&self) {
        self.settled.fetch_add(1, Ordering::SeqCst);
    }

    /// How much mail with consequences was ever settled.
    pub(crate) fn settled(&self) -> u64 {
        if self.closed.load(Ordering::SeqCst) {
            // Those that are lost with a worker are waited for by nobody.
            return self.sent();
        }
        self.settled.load(Ordering::SeqCst)
    }

    /// How much mail with consequences was ever sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Asks to be woken up when there is less.
    pub(crate) fn await_room(&self) {
        self.awaited.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked so since.
    pub(crate) fn was_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) && self.awaited.swap(false, Ordering::Relaxed)
    }

    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
            && self.connections.is_empty()
            && self.links.is_empty()
            && !self.interest.load(Ordering::Relaxed)
    }

    /// Bytes of messages that wait.
    pub(crate) fn bytes(&self) -> usize {
        if self.closed.load(Ordering::Relaxed) {
            return 0;
        }
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the worker waits for events.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Relaxed)
    }

    /// To be called by the worker before it waits; tells whether it may.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.is_empty()
    }

    /// To be called by the worker when it goes on.
    pub(crate) fn wake_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }
}

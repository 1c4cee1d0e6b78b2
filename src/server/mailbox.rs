//! How others reach a worker: a queue, and a way to wake it up.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::Duration;

use crossbeam::queue::SegQueue;
use mio::Waker;
use mio::net::TcpStream;

use super::batch::{Batch, Producer};

/// What can be in the queue.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A connection to own, and its number.
    Connection(TcpStream, SocketAddr, u64),
    /// Messages for connections that it owns.
    Messages(Batch, usize),
    /// A connection that it owns publishes faster than somebody can take, and is
    /// to pause for so long.
    Slower(Producer, Duration),
    /// The server is about to end.
    Drain,
}

/// The queue of one worker.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: SegQueue<Mail>,
    /// Bytes of the messages in the queue.
    bytes: AtomicUsize,
    /// Some worker sends nothing until there is less.
    awaited: AtomicBool,
    asleep: AtomicBool,
    waker: Waker,
}

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            queue: SegQueue::new(),
            bytes: AtomicUsize::new(0),
            awaited: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            waker,
        }
    }

    /// Puts something into the queue; the worker is woken up only if it sleeps.
    pub(crate) fn send(&self, mail: Mail) {
        if let Mail::Messages(batch, _) = &mail {
            self.bytes.fetch_add(batch.bytes(), Ordering::Relaxed);
        }
        self.queue.push(mail);
        self.rouse();
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

    /// Asks to be woken up when there is less.
    pub(crate) fn await_room(&self) {
        self.awaited.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked so since.
    pub(crate) fn was_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) && self.awaited.swap(false, Ordering::Relaxed)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes of messages that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
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

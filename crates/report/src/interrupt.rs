//! Termination signals: noticed at once, handled between two steps.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// A termination signal, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(pub(crate) usize);

impl Signal {
    /// Returns the exit code that a shell reports for this signal.
    pub(crate) fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(u8::MAX)
    }
}

/// Catches signals from its creation on.
#[derive(Debug)]
pub(crate) struct Interrupt {
    caught: Arc<AtomicUsize>,
    /// Readable once a signal has arrived. It is never read from, so it stays
    /// readable.
    reader: UnixStream,
}

impl Interrupt {
    /// Starts to catch signals.
    pub(crate) fn catch() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        let caught = Arc::new(AtomicUsize::new(0));
        for (number, mark) in [(SIGINT, 2), (SIGTERM, 15), (SIGHUP, 1)] {
            // In this order, so the flag is set when the pipe becomes readable.
            flag::register_usize(number, Arc::clone(&caught), mark)?;
            pipe::register(number, writer.try_clone()?)?;
        }
        Ok(Self { caught, reader })
    }

    /// Catches nothing: for tests, which Ctrl-C should end.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        let (reader, _) = UnixStream::pair().expect("a pair");
        Self {
            caught: Arc::default(),
            reader,
        }
    }

    /// Returns the last signal that arrived.
    pub(crate) fn signal(&self) -> Option<Signal> {
        let caught = self.caught.load(Ordering::SeqCst);
        (caught != 0).then_some(Signal(caught))
    }

    /// Sleeps for this long, or until a signal arrives.
    pub(crate) fn pause(&self, time: Duration) {
        let mut events = [PollFd::new(self, PollFlags::IN)];
        if let Ok(time) = Timespec::try_from(time) {
            // Whether it times out or fails, there is nothing more to wait for.
            let _ = poll(&mut events, Some(&time));
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

//! Signals that ask the program to end: noticed at once, acted upon between
//! two steps.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// A request to end: the number of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(pub(crate) usize);

impl Signal {
    /// What a shell reports for a program ended by this signal.
    pub(crate) fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(u8::MAX)
    }
}

/// Catches the signals from its creation on.
#[derive(Debug)]
pub(crate) struct Interrupt {
    caught: Arc<AtomicUsize>,
    /// Readable once a signal has come. Nothing is ever read from it, so that
    /// it stays so.
    reader: UnixStream,
}

impl Interrupt {
    /// Begins to catch.
    pub(crate) fn catch() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        let caught = Arc::new(AtomicUsize::new(0));
        for (number, mark) in [(SIGINT, 2), (SIGTERM, 15), (SIGHUP, 1)] {
            // In this order, so that the mark is set when the pipe tells of it.
            flag::register_usize(number, Arc::clone(&caught), mark)?;
            pipe::register(number, writer.try_clone()?)?;
        }
        Ok(Self { caught, reader })
    }

    /// Catches nothing: for tests, which Ctrl-C is to end.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        let (reader, _) = UnixStream::pair().expect("a pair");
        Self {
            caught: Arc::default(),
            reader,
        }
    }

    /// The last signal that came.
    pub(crate) fn signal(&self) -> Option<Signal> {
        let caught = self.caught.load(Ordering::SeqCst);
        (caught != 0).then_some(Signal(caught))
    }

    /// Does nothing for that long, or until a signal comes.
    pub(crate) fn pause(&self, time: Duration) {
        let mut events = [PollFd::new(self, PollFlags::IN)];
        if let Ok(time) = Timespec::try_from(time) {
            // However it ends, the time is over or there is nothing to wait for.
            let _ = poll(&mut events, Some(&time));
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

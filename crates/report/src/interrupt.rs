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

/// The signals, and as what they are recorded.
const SIGNALS: [(i32, usize, Signal); 3] = [
    (SIGINT, 1, Signal::Interrupt),
    (SIGTERM, 2, Signal::Terminate),
    (SIGHUP, 3, Signal::HangUp),
];

/// A request to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, which is Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

impl Signal {
    /// What a shell reports for a program ended by this signal.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Catches the signals from its creation on.
#[derive(Debug)]
pub struct Interrupt {
    caught: Arc<AtomicUsize>,
    /// Readable once a signal has come. Nothing is ever read from it, so that
    /// it stays so.
    reader: UnixStream,
}

impl Interrupt {
    /// Begins to catch.
    ///
    /// # Errors
    ///
    /// When the system refuses a pipe or a handler.
    pub fn catch() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        let caught = Arc::new(AtomicUsize::new(0));
        for (number, mark, _) in SIGNALS {
            // In this order, so that the mark is set when the pipe tells of it.
            flag::register_usize(number, Arc::clone(&caught), mark)?;
            pipe::register(number, writer.try_clone()?)?;
        }
        Ok(Self { caught, reader })
    }

    /// The last signal that came.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        let caught = self.caught.load(Ordering::SeqCst);
        SIGNALS
            .iter()
            .find(|(_, mark, _)| *mark == caught)
            .map(|&(_, _, signal)| signal)
    }

    /// Does nothing for that long, or until a signal comes.
    pub fn pause(&self, time: Duration) {
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

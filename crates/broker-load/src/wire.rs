//! A non-blocking connection.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};

use super::LoadError;
use super::clock::{Clock, Latencies};
use super::connect::{Connection, Heard, text};
use super::scanner::{Frame, ScanError, Scanner};

const PONG: &[u8] = b"PONG\r\n";

/// A connection with its unparsed input and its unsent output.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) who: String,
    stream: TcpStream,
    scanner: Scanner,
    /// The directions in use.
    interest: Interest,
    heard: Arc<Heard>,
    /// Whole frames to send; the first `sent` bytes are sent.
    out: Vec<u8>,
    sent: usize,
}

impl Wire {
    pub(super) fn new(connection: Connection) -> Result<Self, LoadError> {
        let prepared = connection.stream.set_nonblocking(true);
        prepared.map_err(LoadError::system("make a connection non-blocking"))?;
        Ok(Self {
            who: connection.who,
            stream: TcpStream::from_std(connection.stream),
            scanner: connection.scanner,
            interest: connection.interest,
            heard: connection.heard,
            out: Vec::new(),
            sent: 0,
        })
    }

    pub(super) fn register(&mut self, registry: &Registry, place: usize) -> Result<(), LoadError> {
        registry
            .register(&mut self.stream, Token(place), self.interest)
            .map_err(LoadError::system("watch a connection"))
    }

    /// Reads once and passes on each message: reply subject, payload, output.
    /// Returns whether there may be more to read.
    #[inline]
    pub(super) fn receive(
        &mut self,
        mut message: impl FnMut(&[u8], &[u8], &mut Vec<u8>),
    ) -> Result<bool, LoadError> {
        // Frames from earlier reads may be left, so they are parsed in any case.
        let (closed, more) = match self.scanner.fill(&mut self.stream) {
            Ok(taken) => (taken.bytes == 0, taken.more),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (false, false),
            Err(error) => return Err(self.lost(&error)),
        };
        loop {
            match self.scanner.frame() {
                Ok(Some(Frame::Message { reply, payload })) => {
                    message(reply, payload, &mut self.out);
                }
                Ok(None) => break,
                Ok(Some(Frame::Ping)) => _ = self.heard.pings.fetch_add(1, Relaxed),
                Ok(Some(Frame::Pong)) => _ = self.heard.pongs.fetch_add(1, Relaxed),
                Ok(Some(Frame::Okay | Frame::Info(_))) => {}
                Ok(Some(Frame::NoResponders)) => {
                    return Err(LoadError::Reported {
                        who: self.who.clone(),
                        said: "that no responder answers requests (503)".to_owned(),
                    });
                }
                Ok(Some(Frame::Error(said))) => {
                    return Err(LoadError::Reported {
                        who: self.who.clone(),
                        said: text(said),
                    });
                }
                Err(error) => return Err(self.nonsense(&error)),
            }
        }
        if closed {
            return Err(LoadError::closed(self.who.clone(), None));
        }
        Ok(more)
    }

    /// Like `receive`, but only counts and times messages.
    #[inline]
    pub(super) fn messages(
        &mut self,
        latencies: &mut Option<Latencies>,
        clock: Clock,
    ) -> Result<(u64, bool), LoadError> {
        let mut messages = 0;
        let mut now = None;
        let more = self.receive(|_, payload, _| {
            messages += 1;
            if let Some(latencies) = latencies {
                // One clock reading for all messages of one read.
                let now = *now.get_or_insert_with(|| clock.now());
                latencies.count(now, payload);
            }
        })?;
        Ok((messages, more))
    }

    /// Returns the PONGs received, also those read by another thread.
    pub(super) fn pongs(&self) -> u32 {
        self.heard.pongs.load(Relaxed)
    }

    /// Writes once; 0 means that the operating system accepts nothing for now.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, LoadError> {
        match self.stream.write(bytes) {
            Ok(written) => Ok(written),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(0)
            }
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// Returns the output buffer, for whole frames.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Returns the number of unsent bytes, with the answers to PINGs.
    pub(super) fn unsent(&self) -> usize {
        let pings = self.heard.pings.load(Relaxed) as usize;
        self.out.len() - self.sent + pings * PONG.len()
    }

    /// Sends as much of the output as the operating system accepts. PINGs are
    /// answered here, by the thread that writes to the connection.
    pub(super) fn flush(&mut self) -> Result<(), LoadError> {
        if self.heard.pings.load(Relaxed) > 0 && self.interest.is_writable() {
            for _ in 0..self.heard.pings.swap(0, Relaxed) {
                self.out.extend(PONG);
            }
        }
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Drop what was sent, so the buffer does not grow forever.
                    if self.sent > self.out.len() / 2 {
                        self.out.drain(..self.sent);
                        self.sent = 0;
                    }
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }

    /// After a failed write: returns the server's last error, if it sent one.
    fn explain(&mut self, error: &io::Error) -> LoadError {
        loop {
            match self.receive(|_, _, _| {}) {
                Ok(true) => {}
                Err(said @ LoadError::Reported { .. }) => return said,
                Ok(_) | Err(_) => return self.lost(error),
            }
        }
    }

    fn lost(&self, error: &io::Error) -> LoadError {
        LoadError::closed(self.who.clone(), Some(error))
    }

    fn nonsense(&self, error: &ScanError) -> LoadError {
        LoadError::Foreign {
            server: format!("the server of {}", self.who),
            why: error.to_string(),
        }
    }
}

/// Waits for events; an interruption is not an error.
pub(super) fn poll(
    poll: &mut Poll,
    events: &mut Events,
    longest: Duration,
) -> Result<(), LoadError> {
    match poll.poll(events, Some(longest)) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => {
            Err(LoadError::system("wait for connections")(error))
        }
        _ => Ok(()),
    }
}

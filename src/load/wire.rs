//! A connection that is never waited for.

use std::io::{self, Write};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::LoadError;
use super::connect::{Connection, text};
use super::scanner::{Frame, ScanError, Scanner};

/// A connection with what was received and not looked at, and what is to be
/// sent when the system takes it.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) who: String,
    pub(super) stream: TcpStream,
    pub(super) scanner: Scanner,
    /// Whole frames to be sent, of which `sent` bytes are.
    out: Vec<u8>,
    sent: usize,
}

/// What was heard on a connection besides messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Heard {
    /// PINGs, each to be answered.
    pub(super) pings: u32,
    /// PONGs.
    pub(super) pongs: u32,
}

impl Wire {
    pub(super) fn new(connection: Connection) -> Result<Self, LoadError> {
        let prepared = connection.stream.set_nonblocking(true);
        prepared.map_err(LoadError::system("make a connection non-blocking"))?;
        Ok(Self {
            who: connection.who,
            stream: TcpStream::from_std(connection.stream),
            scanner: connection.scanner,
            out: Vec::new(),
            sent: 0,
        })
    }

    pub(super) fn register(&mut self, registry: &Registry, place: usize) -> Result<(), LoadError> {
        let both = Interest::READABLE | Interest::WRITABLE;
        registry
            .register(&mut self.stream, Token(place), both)
            .map_err(LoadError::system("watch a connection"))
    }

    /// Reads once and passes on each message: where to answer, payload.
    /// Returns what else was heard, and whether there may be more to read.
    #[inline]
    pub(super) fn receive(
        &mut self,
        mut message: impl FnMut(&[u8], &[u8], &mut Vec<u8>),
    ) -> Result<(Heard, bool), LoadError> {
        // What was read before may not have been looked at, so that is done in any case.
        let (closed, more) = match self.scanner.fill(&mut self.stream) {
            Ok(taken) => (taken.bytes == 0, taken.more),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (false, false),
            Err(error) => return Err(self.lost(&error)),
        };
        let mut heard = Heard::default();
        loop {
            match self.scanner.frame() {
                Ok(Some(Frame::Message { reply, payload })) => {
                    message(reply, payload, &mut self.out);
                }
                Ok(None) => break,
                Ok(Some(Frame::Ping)) => heard.pings += 1,
                Ok(Some(Frame::Pong)) => heard.pongs += 1,
                Ok(Some(Frame::Okay | Frame::Info(_))) => {}
                Ok(Some(Frame::NoResponders)) => {
                    return Err(LoadError::Reported {
                        who: self.who.clone(),
                        said: "that nobody answers requests (503)".to_owned(),
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
        Ok((heard, more))
    }

    /// Writes once; 0 means that the system takes nothing for now.
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

    /// Frames to be appended to.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// How many bytes are to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Sends what is to be sent, as far as the system takes it.
    pub(super) fn flush(&mut self) -> Result<(), LoadError> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // So that it does not grow for ever behind what was sent.
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

    /// After a failed write: what the server said before it closed, if it did.
    fn explain(&mut self, error: &io::Error) -> LoadError {
        loop {
            match self.receive(|_, _, _| {}) {
                Ok((_, true)) => {}
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

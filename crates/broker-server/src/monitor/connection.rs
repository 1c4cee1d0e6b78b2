//! A monitoring connection: one request, one response.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use mio::net::TcpStream;

use super::http::{self, MOST_REQUEST, Method, Page, Request, Status};

/// Most bytes to read and discard after the response before the connection is closed.
const MOST_DISCARDED: usize = 256 * 1024;

/// A monitoring client.
#[derive(Debug)]
pub(super) struct Connection {
    socket: TcpStream,
    pub(super) deadline: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The request so far.
    Reading(Vec<u8>),
    /// The response, and how much of it is sent.
    Writing(Vec<u8>, usize),
    /// The response is sent. Contains the number of input bytes discarded since: closing with
    /// unread input would reset the connection, and the response might be lost.
    Closing(usize),
}

/// The progress of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// An event will report when the connection can continue.
    Blocked,
    /// The connection must be closed.
    Done,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, deadline: Instant) -> Self {
        Self {
            socket,
            deadline,
            state: State::Reading(Vec::new()),
        }
    }

    /// Returns the unsent bytes of the response.
    pub(super) fn unsent(&self) -> usize {
        match &self.state {
            State::Writing(bytes, sent) => bytes.len() - sent,
            State::Reading(_) | State::Closing(_) => 0,
        }
    }

    /// Reads, responds with the result of `answer` for method and path, and writes, as far as
    /// possible now.
    pub(super) fn go_on(
        &mut self,
        answer: impl FnOnce(Method, &str) -> Vec<u8>,
    ) -> io::Result<Progress> {
        let mut answer = Some(answer);
        loop {
            let step = match &self.state {
                State::Reading(_) => self.read(&mut answer),
                State::Writing(..) => self.write(),
                State::Closing(_) => self.discard(),
            };
            match step {
                Ok(Some(progress)) => return Ok(progress),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Progress::Blocked);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read(
        &mut self,
        answer: &mut Option<impl FnOnce(Method, &str) -> Vec<u8>>,
    ) -> io::Result<Option<Progress>> {
        let State::Reading(request) = &mut self.state else {
            return Ok(None);
        };
        let mut buffer = [0; MOST_REQUEST];
        let room = MOST_REQUEST - request.len();
        let read = self.socket.read(&mut buffer[..room])?;
        if read == 0 {
            return Ok(Some(Progress::Done));
        }
        request.extend_from_slice(&buffer[..read]);
        let bytes = match http::parse(request) {
            Request::Incomplete => return Ok(None),
            Request::Bad => {
                Page::text(Status::BadRequest, "cannot read the request").answer(Method::Get)
            }
            Request::Complete(method, path) => match answer.take() {
                Some(answer) => answer(method, path),
                None => return Ok(Some(Progress::Done)),
            },
        };
        self.state = State::Writing(bytes, 0);
        Ok(None)
    }

    fn write(&mut self) -> io::Result<Option<Progress>> {
        if let State::Writing(bytes, sent) = &mut self.state {
            match self.socket.write(&bytes[*sent..])? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => *sent += written,
            }
            if *sent == bytes.len() {
                self.socket.shutdown(Shutdown::Write)?;
                self.state = State::Closing(0);
            }
        }
        Ok(None)
    }

    fn discard(&mut self) -> io::Result<Option<Progress>> {
        let mut buffer = [0; 4096];
        let read = self.socket.read(&mut buffer)?;
        if let State::Closing(discarded) = &mut self.state {
            *discarded += read;
            if read > 0 && *discarded <= MOST_DISCARDED {
                return Ok(None);
            }
        }
        Ok(Some(Progress::Done))
    }
}

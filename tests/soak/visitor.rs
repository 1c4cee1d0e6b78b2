//! A client that may be refused, stalled or closed at any time, and continues as long as it can.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::client::{CONNECT, Client, Frame};
use crate::run::{Run, count};

/// How long one read waits.
const SLICE: Duration = Duration::from_millis(3);

pub(crate) struct Visitor<'a> {
    pub(crate) run: &'a Run,
    pub(crate) rng: &'a mut Rng,
    pub(crate) client: Client,
    /// Used for subjects that no other client has.
    pub(crate) id: usize,
}

impl<'a> Visitor<'a> {
    /// Opens a connection that has read INFO and sent nothing.
    pub(crate) fn open(run: &'a Run, rng: &'a mut Rng) -> Self {
        Self::over(run, rng, Client::to(run.port))
    }

    fn over(run: &'a Run, rng: &'a mut Rng, mut client: Client) -> Self {
        client.read_info();
        let id = run.id();
        Self {
            run,
            rng,
            client,
            id,
        }
    }

    /// Opens a connection and sends CONNECT without waiting.
    pub(crate) fn connect(run: &'a Run, rng: &'a mut Rng) -> Self {
        let mut visitor = Self::open(run, rng);
        visitor.send(CONNECT);
        visitor
    }

    /// Same as `connect`, with a buffer for about `bytes` of unread input.
    pub(crate) fn with_room(run: &'a Run, rng: &'a mut Rng, bytes: usize) -> Self {
        let client = Client::with_room(run.port, bytes);
        let mut visitor = Self::over(run, rng, client);
        visitor.send(CONNECT);
        visitor
    }

    /// Sends bytes. Returns whether all were sent. The server may close the connection at any time,
    /// but must not ignore it.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let sent = self.client.stream.write_all(bytes.as_ref());
        if sent.as_ref().is_err_and(is_wait) {
            self.run
                .fault("the server neither reads nor closes a connection");
        }
        sent.is_ok()
    }

    pub(crate) fn pause(&mut self, most_ms: u64) {
        thread::sleep(Duration::from_millis(self.rng.u64(..=most_ms)));
    }

    /// Reads up to `most` available bytes. Returns false at the end.
    pub(crate) fn read(&mut self, most: usize) -> bool {
        let stream = &mut self.client.stream;
        let patience = stream.read_timeout().expect("it is a socket");
        stream.set_read_timeout(Some(SLICE)).expect("not zero");
        let read = stream.read(&mut vec![0; most]);
        stream.set_read_timeout(patience).expect("not zero");
        match read {
            Ok(read) => read > 0,
            Err(error) => is_wait(&error),
        }
    }

    /// Sends PING and passes all messages before the PONG to `take`. Returns false at the end.
    pub(crate) fn process(&mut self, mut take: impl FnMut(&mut Self, Frame)) -> bool {
        if !self.send("PING\r\n") {
            return false;
        }
        while let Some(frame) = self.client.any_frame() {
            match frame {
                Frame::Line(line) if line == "PONG" => return true,
                Frame::Line(_) => {}
                message @ Frame::Message { .. } => {
                    count(&self.run.counts.overheard, 1);
                    take(self, message);
                }
            }
        }
        false
    }

    /// Closes the sending side. The server closes the other side after executing and writing
    /// everything.
    pub(crate) fn half_close(&mut self) {
        let _ = self.client.stream.shutdown(Shutdown::Write);
        self.client.read_to_end();
    }

    /// Leaves in one of the ways that are possible at any time.
    pub(crate) fn leave(mut self) {
        match self.rng.u32(..4) {
            0 => {}
            1 => self.client.end_with_reset(),
            2 => self.half_close(),
            // Stops reading without closing.
            _ => {
                let _ = self.client.stream.shutdown(Shutdown::Read);
                self.pause(5);
            }
        }
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

//! A client that tolerates being refused, stalled or closed, and continues as long as it can.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::CONNECT;

/// How long one read or write blocks before it checks the time.
const SLICE: Duration = Duration::from_millis(20);

/// Connection timeout: if a server does not accept connections, Linux retries for minutes.
const CONNECTING: Duration = Duration::from_millis(300);

pub(crate) struct Attacker {
    pub(crate) stream: TcpStream,
    /// When the attacker gives up.
    end: Instant,
}

impl Attacker {
    /// Opens a connection without sending or reading.
    pub(crate) fn open(port: u16, end: Instant) -> Option<Self> {
        let address = ([127, 0, 0, 1], port).into();
        let stream = TcpStream::connect_timeout(&address, CONNECTING).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(SLICE)).ok()?;
        stream.set_write_timeout(Some(SLICE)).ok()?;
        Some(Self { stream, end })
    }

    /// Opens a connection and sends CONNECT, if the server accepts it.
    pub(crate) fn connect(port: u16, end: Instant) -> Option<Self> {
        let mut attacker = Self::open(port, end)?;
        attacker.send(CONNECT);
        attacker.sync().then_some(attacker)
    }

    /// Sends bytes. Returns whether all were sent.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            if Instant::now() > self.end {
                return false;
            }
            match self.stream.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if is_wait(error.kind()) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Sends PING and skips other output. Returns whether PONG arrived.
    pub(crate) fn sync(&mut self) -> bool {
        if !self.send("PING\r\n") {
            return false;
        }
        let mut tail = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        while Instant::now() < self.end {
            match self.stream.read(&mut chunk) {
                Ok(0) => return false,
                Ok(read) => tail.extend_from_slice(&chunk[..read]),
                Err(error) if is_wait(error.kind()) => {}
                Err(_) => return false,
            }
            if tail.ends_with(b"PONG\r\n") {
                return true;
            }
            tail.drain(..tail.len().saturating_sub(6));
        }
        false
    }

    /// Reads at most 64 KiB. Returns false at the end.
    pub(crate) fn read_a_little(&mut self) -> bool {
        match self.stream.read(&mut vec![0; 64 * 1024]) {
            Ok(read) => read > 0,
            Err(error) => is_wait(error.kind()),
        }
    }

    /// Reads and discards all output, in a new thread.
    pub(crate) fn discard(&self) {
        let Ok(mut stream) = self.stream.try_clone() else {
            return;
        };
        thread::spawn(move || {
            let mut chunk = vec![0; 256 * 1024];
            loop {
                match stream.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) if is_wait(error.kind()) => {}
                    Err(_) => return,
                }
            }
        });
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        // Also ends the reading thread.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn is_wait(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// Returns many frames as one text.
pub(crate) fn frames(count: usize, frame: impl FnMut(usize) -> String) -> String {
    (0..count).map(frame).collect()
}

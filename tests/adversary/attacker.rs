//! A client that takes what comes: it is refused, stalled or closed, and goes on as
//! long as it can.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::CONNECT;

/// How long one read or write waits before it looks at the clock.
const SLICE: Duration = Duration::from_millis(20);

/// How long a connection may take: a server that accepts none for a while has Linux
/// try again for minutes.
const CONNECTING: Duration = Duration::from_millis(300);

pub(crate) struct Attacker {
    pub(crate) stream: TcpStream,
    /// It gives up then.
    end: Instant,
}

impl Attacker {
    /// A connection on which nothing was sent or read.
    pub(crate) fn open(port: u16, end: Instant) -> Option<Self> {
        let address = ([127, 0, 0, 1], port).into();
        let stream = TcpStream::connect_timeout(&address, CONNECTING).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(SLICE)).ok()?;
        stream.set_write_timeout(Some(SLICE)).ok()?;
        Some(Self { stream, end })
    }

    /// A connection after CONNECT, if the server takes it.
    pub(crate) fn connect(port: u16, end: Instant) -> Option<Self> {
        let mut attacker = Self::open(port, end)?;
        attacker.send(CONNECT);
        attacker.sync().then_some(attacker)
    }

    /// Whether it could send all.
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

    /// Whether a PONG came for a PING; anything else that comes is passed over.
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

    /// Reads at most 64 KiB. False at the end.
    pub(crate) fn read_a_little(&mut self) -> bool {
        match self.stream.read(&mut vec![0; 64 * 1024]) {
            Ok(read) => read > 0,
            Err(error) => is_wait(error.kind()),
        }
    }

    /// Reads and forgets all that comes, on a thread of its own.
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
        // Also for a thread that reads.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn is_wait(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// Many frames in one piece.
pub(crate) fn frames(count: usize, frame: impl FnMut(usize) -> String) -> String {
    (0..count).map(frame).collect()
}

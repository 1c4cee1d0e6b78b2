//! The bytes of a connection, in clear or by TLS.

use std::io::{self, IoSlice, Read, Write};

use mio::net::TcpStream;

#[cfg(feature = "tls")]
use super::tls::Session;

/// A connection to a client.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) socket: TcpStream,
    #[cfg(feature = "tls")]
    pub(crate) session: Option<Box<Session>>,
}

impl Transport {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            #[cfg(feature = "tls")]
            session: None,
        }
    }

    /// Whether it goes by TLS.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.session.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Whether the handshake of TLS is not done yet.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_handshaking(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(session) = &self.session {
            return session.is_handshaking();
        }
        false
    }

    /// Reads what is there: 0 bytes mean that the client is gone.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(session) = &mut self.session {
            return session.read(&mut self.socket, into);
        }
        self.socket.read(into)
    }

    /// Whether a read that did not fill the buffer has taken all there was.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn short_read_means_empty(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.session.is_none();
        #[cfg(not(feature = "tls"))]
        true
    }

    /// Writes what the system takes.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(session) = &mut self.session {
            return session.write(&mut self.socket, slices);
        }
        match slices {
            [one] => self.socket.write(one),
            many => self.socket.write_vectored(many),
        }
    }

    /// Whether the system has taken all that was written.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_flushed(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(session) = &self.session {
            return session.is_flushed();
        }
        true
    }

    /// Goes on with what TLS itself has to write.
    #[cfg(feature = "tls")]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.session {
            Some(session) => session.flush(&mut self.socket),
            None => Ok(()),
        }
    }

    /// Goes on with what TLS itself has to write; there is no TLS in this build.
    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Says that nothing more will come, and takes what the client has still
    /// sent: closing with something unread would reset the connection, and the
    /// client might miss what was written last.
    pub(crate) fn finish(&mut self, scratch: &mut [u8]) {
        const MOST_READS: usize = 16;
        #[cfg(feature = "tls")]
        if let Some(session) = &mut self.session {
            session.finish(&mut self.socket);
        }
        // What fails here is the connection, which is at its end anyway.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        for _ in 0..MOST_READS {
            if !matches!(self.socket.read(scratch), Ok(1..)) {
                break;
            }
        }
    }
}

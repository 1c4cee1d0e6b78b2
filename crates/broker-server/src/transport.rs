//! The bytes of a connection, in clear or through layers.

use std::io::{self, IoSlice, Read, Write};

use mio::net::TcpStream;

use super::about::TlsUsed;
#[cfg(feature = "tls")]
use super::layers::Layers;
use super::reason::Reason;

/// A connection to a client.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) socket: TcpStream,
    /// TLS and WebSocket, if it goes by these.
    #[cfg(feature = "tls")]
    pub(crate) layers: Option<Box<Layers>>,
}

impl Transport {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            #[cfg(feature = "tls")]
            layers: None,
        }
    }

    /// Memory that belongs to it, in bytes, about. Only reading changes it, and what sets
    /// the layers.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn held(&self) -> usize {
        #[cfg(feature = "tls")]
        return self.layers.as_ref().map_or(0, |layers| layers.held());
        #[cfg(not(feature = "tls"))]
        0
    }

    /// Whether it goes by WebSocket.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_websocket(&self) -> bool {
        #[cfg(feature = "tls")]
        return (self.layers.as_ref()).is_some_and(|layers| layers.is_websocket());
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Whether the client is told INFO when the handshakes are done.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn owes_info(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.layers.as_ref().is_some_and(|layers| layers.owes_info);
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Whether TLS is wanted, or possible, and the client has sent nothing.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_untouched(&self) -> bool {
        #[cfg(feature = "tls")]
        return (self.layers.as_ref()).is_some_and(|layers| !layers.have_begun(&self.socket));
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Whether the handshake of TLS or WebSocket is not done yet.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_handshaking(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(layers) = &self.layers {
            return layers.is_handshaking();
        }
        false
    }

    /// How it is encrypted, once that is agreed upon.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn tls(&self) -> Option<TlsUsed> {
        #[cfg(feature = "tls")]
        return self.layers.as_ref().and_then(|layers| layers.tls_used());
        #[cfg(not(feature = "tls"))]
        None
    }

    /// Reads what is there: 0 bytes mean that the client is gone.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(layers) = &mut self.layers {
            return layers.read(&mut self.socket, into);
        }
        self.socket.read(into)
    }

    /// Whether a read that did not fill the buffer has taken all there was.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn short_read_means_empty(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.layers.is_none();
        #[cfg(not(feature = "tls"))]
        true
    }

    /// Writes what the system takes.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(layers) = &mut self.layers {
            return layers.write(&mut self.socket, slices);
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
        if let Some(layers) = &self.layers {
            return layers.is_flushed();
        }
        true
    }

    /// Goes on with what the layers themselves have to write.
    #[cfg(feature = "tls")]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.layers {
            Some(layers) => layers.flush(&mut self.socket),
            None => Ok(()),
        }
    }

    /// Goes on with what the layers themselves have to write; there are none in this
    /// build.
    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Says that nothing more will come, and takes what the client has still
    /// sent: closing with something unread would reset the connection, and the
    /// client might miss what was written last.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    pub(crate) fn finish(&mut self, reason: Reason, scratch: &mut [u8]) {
        const MOST_READS: usize = 16;
        #[cfg(feature = "tls")]
        if let Some(layers) = &mut self.layers {
            layers.finish(&mut self.socket, reason);
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

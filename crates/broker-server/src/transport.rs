//! The bytes of a connection, in plaintext or through layers.

use std::io::{self, IoSlice, Read, Write};

use mio::net::TcpStream;

use super::about::TlsUsed;
#[cfg(feature = "tls")]
use super::layers::Layers;
use super::reason::Reason;

/// The transport of a connection.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) socket: TcpStream,
    /// TLS and WebSocket, if the connection uses them.
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

    /// Returns the approximate memory in bytes. Only reading and setting the layers change it.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn held(&self) -> usize {
        #[cfg(feature = "tls")]
        return self.layers.as_ref().map_or(0, |layers| layers.held());
        #[cfg(not(feature = "tls"))]
        0
    }

    /// Returns whether it is a WebSocket connection.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_websocket(&self) -> bool {
        #[cfg(feature = "tls")]
        return (self.layers.as_ref()).is_some_and(|layers| layers.is_websocket());
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Returns whether INFO must be sent after the handshakes.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn owes_info(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.layers.as_ref().is_some_and(|layers| layers.owes_info);
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Returns whether TLS is required or possible, and the client has sent nothing.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_untouched(&self) -> bool {
        #[cfg(feature = "tls")]
        return (self.layers.as_ref()).is_some_and(|layers| !layers.have_begun(&self.socket));
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Returns whether a TLS or WebSocket handshake is in progress.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_handshaking(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(layers) = &self.layers {
            return layers.is_handshaking();
        }
        false
    }

    /// Returns the encryption, once it is negotiated.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn tls(&self) -> Option<TlsUsed> {
        #[cfg(feature = "tls")]
        return self.layers.as_ref().and_then(|layers| layers.tls_used());
        #[cfg(not(feature = "tls"))]
        None
    }

    /// Reads available data: 0 bytes mean that the client has disconnected.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(layers) = &mut self.layers {
            return layers.read(&mut self.socket, into);
        }
        self.socket.read(into)
    }

    /// Returns whether a read that did not fill the buffer has read all available data.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn short_read_means_empty(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.layers.is_none();
        #[cfg(not(feature = "tls"))]
        true
    }

    /// Writes as much as the socket accepts.
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

    /// Returns whether all output was passed to the system.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    pub(crate) fn is_flushed(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Some(layers) = &self.layers {
            return layers.is_flushed();
        }
        true
    }

    /// Writes the layers' own output.
    #[cfg(feature = "tls")]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.layers {
            Some(layers) => layers.flush(&mut self.socket),
            None => Ok(()),
        }
    }

    /// Writes the layers' own output; this build has no layers.
    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Closes the sending side and discards the client's remaining input: closing with unread input
    /// would reset the connection, and the client might miss the last output.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    pub(crate) fn finish(&mut self, reason: Reason, scratch: &mut [u8]) {
        const MOST_READS: usize = 16;
        #[cfg(feature = "tls")]
        if let Some(layers) = &mut self.layers {
            layers.finish(&mut self.socket, reason);
        }
        // The connection ends in any case, so errors do not matter.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        for _ in 0..MOST_READS {
            if !matches!(self.socket.read(scratch), Ok(1..)) {
                break;
            }
        }
    }
}

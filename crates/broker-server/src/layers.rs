//! The layers between a connection's socket and the NATS protocol: TLS, WebSocket, or WebSocket
//! over TLS.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;

use super::about::TlsUsed;
use super::reason::Reason;
use super::tls::Session;
use super::websocket::{READ, Rules, WebSocket};

/// Memory of a TLS session with grown buffers, in bytes.
const PER_SESSION: usize = 64 * 1024;

/// The layers of a connection: at least one.
#[derive(Debug)]
pub(crate) struct Layers {
    tls: Option<Session>,
    websocket: Option<WebSocket>,
    /// INFO must be sent after the handshakes.
    pub(crate) owes_info: bool,
}

impl Layers {
    pub(crate) fn tls(session: Session) -> Self {
        Self {
            tls: Some(session),
            websocket: None,
            owes_info: false,
        }
    }

    pub(crate) fn websocket(tls: Option<Session>, rules: &Arc<Rules>) -> Self {
        Self {
            tls,
            websocket: Some(WebSocket::new(Arc::clone(rules))),
            owes_info: true,
        }
    }

    /// Returns their approximate memory in bytes.
    pub(crate) fn held(&self) -> usize {
        let tls = if self.tls.is_some() { PER_SESSION } else { 0 };
        tls + self.websocket.as_ref().map_or(0, WebSocket::held)
    }

    /// Returns the encryption, once it is negotiated.
    pub(crate) fn tls_used(&self) -> Option<TlsUsed> {
        self.tls.as_ref().and_then(Session::used)
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.websocket.is_some()
    }

    /// Returns whether the client has sent any data.
    pub(crate) fn have_begun(&self, socket: &TcpStream) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.has_begun(socket))
    }

    /// Returns whether a handshake is still in progress.
    pub(crate) fn is_handshaking(&self) -> bool {
        let tls = self.tls.as_ref();
        let websocket = self.websocket.as_ref();
        tls.is_some_and(Session::is_handshaking) || websocket.is_some_and(WebSocket::is_upgrading)
    }

    /// Reads available data.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the client sends plaintext where TLS is required; `Interrupted` if the data
    /// contained nothing of the NATS protocol; other errors of the system.
    pub(crate) fn read(&mut self, socket: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
        let Self { tls, websocket, .. } = self;
        let Some(websocket) = websocket else {
            return receive(tls, socket, into);
        };
        let made = websocket.resume(into);
        if made > 0 {
            return Ok(made);
        }
        if websocket.ended()? {
            return Ok(0);
        }
        let mut raw = [0; READ];
        match receive(tls, socket, &mut raw) {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                *tls = None;
                websocket.refuse("this port requires TLS: connect to wss:// instead of ws://");
            }
            Ok(0) => return Ok(0),
            read => {
                let made = websocket.take(&raw[..read?], into);
                if made > 0 {
                    self.flush(socket)?;
                    return Ok(made);
                }
            }
        }
        self.flush(socket)?;
        Err(ErrorKind::Interrupted.into())
    }

    /// Writes as much as the socket accepts.
    pub(crate) fn write(
        &mut self,
        socket: &mut TcpStream,
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        let Self { tls, websocket, .. } = self;
        let Some(websocket) = websocket else {
            return send(tls, socket, slices);
        };
        if websocket.is_upgrading() {
            return Err(ErrorKind::WouldBlock.into());
        }
        send_frames(websocket, tls, socket)?;
        if !websocket.is_flushed() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let accepted = websocket.push(slices);
        self.flush(socket)?;
        Ok(accepted)
    }

    /// Writes framed or encrypted data, as much as the socket accepts.
    pub(crate) fn flush(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        let Self { tls, websocket, .. } = self;
        if let Some(websocket) = websocket {
            send_frames(websocket, tls, socket)?;
        }
        match tls {
            Some(tls) => tls.flush(socket),
            None => Ok(()),
        }
    }

    pub(crate) fn is_flushed(&self) -> bool {
        let tls = self.tls.as_ref();
        let websocket = self.websocket.as_ref();
        tls.is_none_or(Session::is_flushed) && websocket.is_none_or(WebSocket::is_flushed)
    }

    /// Sends the end of the connection and its reason.
    pub(crate) fn finish(&mut self, socket: &mut TcpStream, reason: Reason) {
        if let Some(websocket) = &mut self.websocket {
            websocket.close(reason);
        }
        // The connection ends in any case, so errors do not matter.
        let _ = self.flush(socket);
        if let Some(tls) = &mut self.tls {
            tls.finish(socket);
        }
    }
}

fn receive(
    tls: &mut Option<Session>,
    socket: &mut TcpStream,
    into: &mut [u8],
) -> io::Result<usize> {
    match tls {
        Some(tls) => tls.read(socket, into),
        None => socket.read(into),
    }
}

fn send(
    tls: &mut Option<Session>,
    socket: &mut TcpStream,
    slices: &[IoSlice<'_>],
) -> io::Result<usize> {
    match (tls, slices) {
        (Some(tls), slices) => tls.write(socket, slices),
        (None, [one]) => socket.write(one),
        (None, many) => socket.write_vectored(many),
    }
}

/// Writes frames, as much as the socket accepts.
fn send_frames(
    websocket: &mut WebSocket,
    tls: &mut Option<Session>,
    socket: &mut TcpStream,
) -> io::Result<()> {
    loop {
        let out = websocket.out();
        if out.is_empty() {
            return Ok(());
        }
        match send(tls, socket, &[IoSlice::new(out)]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => websocket.wrote(written),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

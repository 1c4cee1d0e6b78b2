//! What is between the socket of a connection and NATS's bytes: TLS, WebSocket, or
//! WebSocket in TLS.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;

use super::about::TlsUsed;
use super::reason::Reason;
use super::tls::Session;
use super::websocket::{READ, Rules, WebSocket};

/// Memory of a session of TLS, whose buffers grow to this, in bytes.
const PER_SESSION: usize = 64 * 1024;

/// The layers of a connection: one at least.
#[derive(Debug)]
pub(crate) struct Layers {
    tls: Option<Session>,
    websocket: Option<WebSocket>,
    /// The client is told INFO when the handshakes are done.
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

    /// Memory that they take, in bytes, about.
    pub(crate) fn held(&self) -> usize {
        let tls = if self.tls.is_some() { PER_SESSION } else { 0 };
        tls + self.websocket.as_ref().map_or(0, WebSocket::held)
    }

    /// How TLS encrypts it, once that is agreed upon.
    pub(crate) fn tls_used(&self) -> Option<TlsUsed> {
        self.tls.as_ref().and_then(Session::used)
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.websocket.is_some()
    }

    /// Whether the client has sent something.
    pub(crate) fn have_begun(&self, socket: &TcpStream) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.has_begun(socket))
    }

    /// Whether no byte of NATS can go yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        let tls = self.tls.as_ref();
        let websocket = self.websocket.as_ref();
        tls.is_some_and(Session::is_handshaking) || websocket.is_some_and(WebSocket::is_upgrading)
    }

    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the client talks in clear where TLS is wanted; `Interrupted` if
    /// what came was nothing of NATS; what the system says.
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
                websocket.refuse("this port wants TLS: connect to wss:// in the place of ws://");
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

    /// Writes what the system takes.
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

    /// Writes what is in frames or encrypted already, as far as the system takes it.
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

    /// Says that the connection ends, and why.
    pub(crate) fn finish(&mut self, socket: &mut TcpStream, reason: Reason) {
        if let Some(websocket) = &mut self.websocket {
            websocket.close(reason);
        }
        // The connection ends; there is nobody to tell that it ended badly.
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

/// Writes frames as far as the system takes them.
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

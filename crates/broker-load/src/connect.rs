//! The handshake of each connection: INFO, CONNECT, PING, PONG.

use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use mio::Interest;
use serde::{Deserialize, Serialize};

use super::scanner::{Frame, Scanner};
use super::{Address, LoadError, Login};

/// Time limit for each answer of the server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time for which a refused connection is tried again: the server may have been started a moment
/// ago.
const STARTUP: Duration = Duration::from_secs(1);

/// Time between these tries.
const RETRY: Duration = Duration::from_millis(10);

/// The fields of a server's INFO that the load needs.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ServerInfo {
    /// The server's name, or its random ID.
    pub server_name: String,
    /// The server's version.
    pub version: String,
    /// The largest payload the server accepts, in bytes.
    pub max_payload: Option<usize>,
    /// Whether clients must use TLS.
    #[serde(skip_serializing)]
    tls_required: bool,
}

// The protocol defines these fields.
#[allow(clippy::struct_excessive_bools)]
#[derive(Serialize)]
struct Connect<'a> {
    verbose: bool,
    pedantic: bool,
    tls_required: bool,
    lang: &'static str,
    version: &'static str,
    name: &'a str,
    protocol: u8,
    echo: bool,
    // With headers, a request without responders is answered by a status.
    headers: bool,
    no_responders: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
}

/// An accepted connection. Reads and writes block.
#[derive(Debug)]
pub(super) struct Connection {
    /// The connection's name in errors, such as `subscriber 3`.
    pub(super) who: String,
    pub(super) stream: TcpStream,
    pub(super) scanner: Scanner,
    /// Directions in use: both, unless the connection was split.
    pub(super) interest: Interest,
    pub(super) heard: Arc<Heard>,
}

/// PINGs and PONGs received, counted by the thread that reads the connection.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// PINGs not answered yet.
    pub(super) pings: AtomicU32,
    /// PONGs since the connection was accepted.
    pub(super) pongs: AtomicU32,
}

/// Connects to a server and returns the connection and the server's INFO.
pub(super) fn connect(
    address: &Address,
    login: &Login,
    who: String,
    buffer: usize,
) -> Result<(Connection, ServerInfo), LoadError> {
    let server = address.to_string();
    let stream = open_once_up(address).map_err(|source| LoadError::Connect {
        server: server.clone(),
        source,
    })?;
    let mut connection = Connection {
        who,
        stream,
        scanner: Scanner::new(buffer),
        interest: Interest::READABLE | Interest::WRITABLE,
        heard: Arc::default(),
    };
    let info = connection.greeting(&server)?;
    if info.tls_required {
        return Err(LoadError::Tls { server });
    }
    let connect = Connect {
        verbose: false,
        pedantic: false,
        tls_required: false,
        lang: "rust",
        version: env!("CARGO_PKG_VERSION"),
        name: "broker bench",
        protocol: 1,
        echo: true,
        headers: true,
        no_responders: true,
        user: login.user.as_deref(),
        pass: login.password.as_deref(),
        auth_token: login.token.as_deref(),
    };
    let json = serde_json::to_string(&connect)
        .map_err(io::Error::from)
        .map_err(LoadError::system("put the credentials into JSON"))?;
    match connection.confirm(&format!("CONNECT {json}\r\n")) {
        Ok(()) => Ok((connection, info)),
        Err(LoadError::Reported { said, .. }) => Err(LoadError::Refused { server, said }),
        Err(error) => Err(error),
    }
}

/// Opens a connection to a server that may be starting.
fn open_once_up(address: &Address) -> io::Result<TcpStream> {
    let deadline = Instant::now() + STARTUP;
    loop {
        match open(address) {
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionRefused
                    && Instant::now() < deadline =>
            {
                thread::sleep(RETRY);
            }
            opened => return opened,
        }
    }
}

fn open(address: &Address) -> io::Result<TcpStream> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for place in (address.host.as_str(), address.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

impl Connection {
    /// Splits off the reading half, for another thread.
    pub(super) fn split(&mut self) -> Result<Self, LoadError> {
        let stream = self.stream.try_clone();
        let stream = stream.map_err(LoadError::system("share a connection"))?;
        self.interest = Interest::WRITABLE;
        Ok(Self {
            who: self.who.clone(),
            stream,
            scanner: Scanner::new(self.scanner.capacity()),
            interest: Interest::READABLE,
            heard: Arc::clone(&self.heard),
        })
    }

    /// Reads INFO, which the server sends first.
    fn greeting(&mut self, server: &str) -> Result<ServerInfo, LoadError> {
        let foreign = |why: String| LoadError::Foreign {
            server: server.to_owned(),
            why,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.scanner.frame() {
                Ok(Some(Frame::Info(json))) => {
                    return serde_json::from_slice(json)
                        .map_err(|error| foreign(format!("its INFO is not JSON: {error}")));
                }
                Ok(Some(Frame::Error(said))) => {
                    return Err(LoadError::Refused {
                        server: server.to_owned(),
                        said: text(said),
                    });
                }
                Ok(Some(frame)) => return Err(foreign(format!("its first line is {frame:?}"))),
                Err(error) => return Err(foreign(error.to_string())),
                Ok(None) if Instant::now() > deadline => {
                    return Err(foreign("it did not send INFO".to_owned()));
                }
                Ok(None) => {}
            }
            match self.scanner.fill(&mut self.stream) {
                Ok(taken) if taken.bytes > 0 => {}
                Ok(_) => return Err(foreign("it closed the connection without INFO".to_owned())),
                Err(error) if timed_out(&error) => {
                    return Err(foreign("it did not send INFO".to_owned()));
                }
                Err(error) => return Err(foreign(error.to_string())),
            }
        }
    }

    /// Sends these lines and waits until the server has processed them.
    pub(super) fn confirm(&mut self, lines: &str) -> Result<(), LoadError> {
        // If writing fails, still read: the server's last error is a better message.
        let written = self.stream.write_all(format!("{lines}PING\r\n").as_bytes());
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.scanner.frame() {
                Ok(Some(Frame::Pong)) => return Ok(()),
                Ok(Some(Frame::Error(said))) => {
                    return Err(LoadError::Reported {
                        who: self.who.clone(),
                        said: text(said),
                    });
                }
                // The PONG is sent when the load begins.
                Ok(Some(Frame::Ping)) => {
                    self.heard.pings.fetch_add(1, Relaxed);
                    continue;
                }
                Ok(Some(_)) => continue,
                Err(error) => {
                    return Err(LoadError::Foreign {
                        server: "the server".to_owned(),
                        why: error.to_string(),
                    });
                }
                Ok(None) if Instant::now() > deadline => {
                    return Err(LoadError::stuck(&self.who, PATIENCE));
                }
                Ok(None) => {}
            }
            match self.scanner.fill(&mut self.stream) {
                Ok(taken) if taken.bytes > 0 => {}
                Ok(_) => {
                    let cause = written.as_ref().err();
                    return Err(LoadError::closed(self.who.clone(), cause));
                }
                Err(error) if timed_out(&error) => {
                    return Err(LoadError::stuck(&self.who, PATIENCE));
                }
                Err(error) => return Err(LoadError::closed(self.who.clone(), Some(&error))),
            }
        }
    }
}

/// Returns whether a read ended by its time limit.
pub(super) fn timed_out(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// Returns the text of a protocol error, on one line.
pub(super) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

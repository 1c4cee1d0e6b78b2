//! A scripted hub.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::server::{PATIENCE, Server};

/// INFO at a port for leaf nodes, as nats-server 2.10 sends it.
pub(crate) const INFO: &str = "INFO {\"server_id\":\"HUB\",\"server_name\":\"stage\",\
    \"client_id\":7,\"max_payload\":1048576,\"headers\":true,\"leafnode_urls\":[],\
    \"info_on_connect\":true}\r\n";

/// The answer to CONNECT.
pub(crate) const CONNECTED: &str = "INFO {\"server_id\":\"HUB\",\"client_id\":7,\
    \"connect_info\":true,\"remote_account\":\"$G\",\"max_payload\":1048576,\"headers\":true,\
    \"leafnode_urls\":[]}\r\n";

/// The listener of the scripted hub.
pub(crate) struct Stage(TcpListener);

impl Stage {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port is free"))
    }

    pub(crate) fn url(&self) -> String {
        let address = self.0.local_addr().expect("it is bound");
        format!("nats-leaf://{address}")
    }

    /// Starts Broker with this hub.
    pub(crate) fn leaf(&self, more: &[&str]) -> Server {
        let url = self.url();
        Server::start(&[&["--leaf", &url, "--http", "127.0.0.1:0"], more].concat())
    }

    /// Accepts the next connection, and sends nothing.
    pub(crate) fn accept(&self) -> Client {
        let deadline = Instant::now() + PATIENCE;
        self.0.set_nonblocking(true).expect("it is a socket");
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("it is a socket");
                    return Client::over(stream);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            assert!(Instant::now() < deadline, "nobody dials");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Accepts the next connection and completes the handshake; returns it and its CONNECT.
    pub(crate) fn link(&self) -> (Client, serde_json::Value) {
        let mut hub = self.accept();
        hub.send(INFO);
        let line = hub.line();
        let json = line.strip_prefix("CONNECT ").expect("CONNECT comes first");
        let connect = serde_json::from_str(json).expect("it is JSON");
        hub.send(CONNECTED);
        let line = hub.line();
        assert!(line.starts_with("LS+ $LDS."), "{line}");
        (hub, connect)
    }

    /// Returns whether no connection is attempted for this time.
    pub(crate) fn is_left_alone(&self, time: Duration) -> bool {
        self.0.set_nonblocking(true).expect("it is a socket");
        std::thread::sleep(time);
        self.0.accept().is_err()
    }
}

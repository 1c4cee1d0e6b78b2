//! Tests the shutdown of a server after the panic of a worker.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::health::Health;
use super::rig::config;
use super::{Server, ServerError};

struct Client(BufReader<TcpStream>);

impl Client {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("not zero");
        let mut client = Self(BufReader::new(stream));
        assert!(client.line().starts_with("INFO "));
        client.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
        assert_eq!(client.line(), "PONG\r\n");
        client
    }

    fn send(&mut self, text: &str) {
        self.0
            .get_mut()
            .write_all(text.as_bytes())
            .expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it comes in time");
        line
    }
}

#[test]
fn a_panic_in_a_worker_drains_the_other_workers() {
    let mut config = config();
    config.http = Some(([127, 0, 0, 1], 0).into());
    config.workers = 2;
    config.drain_timeout = Duration::from_secs(2);
    let server = Server::bind(config).expect("any free port");
    let address = server.acceptor.address;
    let shared = std::sync::Arc::clone(&server.shared);
    let serving = thread::spawn(move || server.run());
    // One client on each worker.
    let mut dies = Client::to(address);
    let mut lives = Client::to(address);
    lives.send("SUB last 1\r\nPING\r\n");
    assert_eq!(lives.line(), "PONG\r\n");
    assert_eq!(shared.health(), Health::Ok);
    dies.send("PUB last 1\r\nx\r\nPING\r\n");
    assert_eq!(dies.line(), "PONG\r\n");
    dies.send("PUB $TEST.PANIC 0\r\n\r\n");
    let mut rest = Vec::new();
    // A reset also ends the connection.
    let _ = dies.0.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(lives.line(), "MSG last 1 1\r\n");
    assert_eq!(lives.line(), "x\r\n");
    let info = lives.line();
    assert!(info.contains("\"ldm\":true"), "{info}");
    assert!(matches!(shared.health(), Health::Failed { .. }));
    assert_eq!(lives.line(), "");
    let ended = serving.join().expect("the server itself does not panic");
    assert!(matches!(ended, Err(ServerError::Panicked(_))), "{ended:?}");
}

//! Servers within the process that uses them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use broker_server::{Config, Credentials, Server, ServerError};

/// Timeout of a test step: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that sends the protocol's lines itself.
struct Client(BufReader<TcpStream>);

impl Client {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        let mut client = Self(BufReader::new(stream));
        assert!(client.line().starts_with("INFO {"));
        client.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\n");
        client.sync();
        client
    }

    fn send(&mut self, text: &str) {
        let stream = self.0.get_mut();
        stream.write_all(text.as_bytes()).expect("it is read");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it comes in time");
        line
    }

    fn sync(&mut self) {
        self.send("PING\r\n");
        assert_eq!(self.line(), "PONG\r\n");
    }

    /// Returns all lines until the connection is closed.
    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        // A reset also ends the connection.
        let _ = self.0.read_to_end(&mut rest);
        String::from_utf8_lossy(&rest).into_owned()
    }
}

fn any_port() -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 2,
        drain_timeout: Duration::from_mins(10),
        ..Config::default()
    }
}

#[test]
fn two_servers_in_one_process_know_nothing_of_each_other() {
    let servers = [Server::start(), Server::start()].map(|server| server.expect("a free port"));
    let [first, second] = &servers;
    assert_ne!(first.address(), second.address());
    assert_eq!(first.url(), format!("nats://{}", first.address()));
    assert_eq!(first.monitor_address(), None);
    let mut subscribers = [first, second].map(|server| Client::to(server.address()));
    for subscriber in &mut subscribers {
        subscriber.send("SUB greetings.* 1\r\n");
        subscriber.sync();
    }
    let mut publisher = Client::to(first.address());
    publisher.send("PUB greetings.world 5\r\nhello\r\n");
    publisher.sync();
    let [of_first, of_second] = &mut subscribers;
    assert_eq!(of_first.line(), "MSG greetings.world 1 5\r\n");
    assert_eq!(of_first.line(), "hello\r\n");
    of_second.sync();
}

#[test]
fn a_dropped_server_has_ended() {
    let server = Server::start().expect("a free port");
    let (address, handle) = (server.address(), server.handle());
    let clients: Vec<_> = (0..10).map(|_| Client::to(address)).collect();
    assert!(!handle.is_draining());
    drop(server);
    for client in clients {
        assert_eq!(client.rest(), "");
    }
    assert!(handle.is_draining());
    TcpStream::connect(address).expect_err("nobody listens any more");
    // The server has ended; this has no effect.
    handle.drain();
    handle.stop();
}

#[test]
fn a_server_that_never_ran_frees_its_port() {
    let server = Server::bind(any_port()).expect("a free port");
    let (address, handle) = (server.handle().address(), server.handle());
    drop(server);
    handle.stop();
    let config = Config {
        listen: address,
        ..any_port()
    };
    Server::bind(config).expect("the port is free again");
}

#[test]
fn no_time_is_too_long() {
    const NEVER: Duration = Duration::MAX;
    let config = Config {
        credentials: Credentials::User("ada".to_owned(), "x".to_owned()),
        ping_interval: NEVER,
        tls_timeout: NEVER,
        auth_timeout: NEVER,
        write_deadline: NEVER,
        drain_timeout: NEVER,
        lame_duck_duration: NEVER,
        lame_duck_grace_period: NEVER,
        ..any_port()
    };
    let server = Server::bind(config.clone()).expect("a free port");
    let handle = server.handle();
    let serving = thread::spawn(|| server.run());
    let open = |_| TcpStream::connect(handle.address()).expect("it listens");
    let strangers: Vec<_> = (0..4).map(open).collect();
    handle.reload(&config).expect("nothing has changed");
    for stranger in strangers {
        let mut stranger = Client(BufReader::new(stranger));
        assert!(stranger.line().starts_with("INFO {"));
        stranger.send("CONNECT {\"verbose\":false,\"user\":\"ada\",\"pass\":\"x\"}\r\n");
        stranger.sync();
    }
    handle.drain();
    let ended = serving.join().expect("it does not panic");
    ended.expect("its clients had read everything");
}

#[test]
fn any_thread_stops_it_while_clients_are_connected() {
    let server = Server::bind(any_port()).expect("a free port");
    let handle = server.handle();
    let serving = thread::spawn(|| server.run());
    let publish = |mut client: Client| {
        move || {
            let frames = "PUB a 1\r\nx\r\n".repeat(1000);
            while client.0.get_mut().write_all(frames.as_bytes()).is_ok() {}
        }
    };
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut subscriber = Client::to(handle.address());
        subscriber.send("SUB a 1\r\n");
        busy.push(thread::spawn(move || drop(subscriber.rest())));
        busy.push(thread::spawn(publish(Client::to(handle.address()))));
    }
    thread::sleep(Duration::from_millis(50));
    let asked = handle.clone();
    let asking = thread::spawn(move || asked.stop());
    asking.join().expect("it does not panic");
    let ended = serving.join().expect("it does not panic");
    ended.expect("what is lost was asked for");
    for client in busy {
        client.join().expect("its connection is closed");
    }
}

/// Returns a client that does not read, with much pending output, and the publisher.
fn with_a_stuck_client(address: SocketAddr) -> [Client; 2] {
    let [mut stuck, mut publisher] = [address; 2].map(Client::to);
    stuck.send("SUB flood 1\r\n");
    stuck.sync();
    let frame = format!("PUB flood 1000000\r\n{}\r\n", "x".repeat(1_000_000));
    publisher.send(&frame.repeat(20));
    publisher.sync();
    [stuck, publisher]
}

#[test]
fn a_drain_writes_pending_output() {
    let server = Server::bind(any_port()).expect("a free port");
    let server = server.spawn().expect("a thread");
    let [stuck, publisher] = with_a_stuck_client(server.address());
    server.drain();
    assert!(server.is_draining());
    assert!(publisher.rest().contains("\"ldm\":true"));
    let rest = stuck.rest();
    assert!(rest.contains("\"ldm\":true"));
    assert_eq!(rest.matches("MSG flood 1 1000000\r\n").count(), 20);
    server.wait().expect("nothing is lost");
}

#[test]
fn a_drain_can_be_cut_short() {
    let server = Server::bind(any_port()).expect("a free port");
    let server = server.spawn().expect("a thread");
    let _clients = with_a_stuck_client(server.address());
    let start = Instant::now();
    server.drain();
    thread::sleep(Duration::from_millis(50));
    server.stop();
    server.wait().expect("what is lost was asked for");
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_lame_duck_lets_its_clients_go() {
    let config = Config {
        lame_duck_duration: Duration::from_millis(400),
        lame_duck_grace_period: Duration::from_millis(200),
        ..any_port()
    };
    let server = Server::bind(config).expect("a free port");
    let server = server.spawn().expect("a thread");
    let clients: Vec<_> = (0..4).map(|_| Client::to(server.address())).collect();
    let start = Instant::now();
    server.lame_duck();
    for client in clients {
        assert_eq!(client.rest().matches("\"ldm\":true").count(), 1);
        assert!(start.elapsed() >= Duration::from_millis(200));
    }
    server.wait().expect("nothing is lost");
}

#[test]
fn a_drain_that_takes_too_long_is_an_error() {
    let config = Config {
        drain_timeout: Duration::from_millis(100),
        ..any_port()
    };
    let server = Server::bind(config).expect("a free port");
    let server = server.spawn().expect("a thread");
    let _clients = with_a_stuck_client(server.address());
    server.drain();
    let ended = server.wait();
    assert!(matches!(ended, Err(ServerError::Undrained)), "{ended:?}");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = Server::start().expect("a free port");
    let config = Config {
        listen: server.address(),
        ..any_port()
    };
    let taken = Server::bind(config).map(|_| ());
    assert!(
        matches!(&taken, Err(ServerError::Listen { address, .. }) if *address == server.address()),
        "{taken:?}"
    );
}

#[test]
fn monitoring_has_its_address() {
    let config = Config {
        http: Some(([127, 0, 0, 1], 0).into()),
        credentials: Credentials::Token("t".to_owned()),
        ..any_port()
    };
    let server = Server::bind(config).expect("a free port");
    let server = server.spawn().expect("a thread");
    let address = server.monitor_address().expect("it is served");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).expect("it is read");
    let mut line = String::new();
    let mut answer = BufReader::new(stream);
    answer.read_line(&mut line).expect("it answers");
    assert!(line.contains(" 200 "), "{line}");
}

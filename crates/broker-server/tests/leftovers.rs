//! Ended servers leave nothing behind in the process. This is the only test of its process, so no
//! other test opens files or starts threads.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use broker_server::{Config, Credentials, Leaf, ProofFile, Server};

/// With a hash as the token, the server starts the thread that checks passwords.
const HASH: &str = "$2a$04$......................SrfqFVXqMJDBiRtHWsvTqQMGHXmOUgS";

fn count(path: &str) -> usize {
    std::fs::read_dir(path).expect("Linux has it").count()
}

/// Returns the numbers of threads and open files of this process.
fn left() -> [usize; 2] {
    ["/proc/self/task", "/proc/self/fd"].map(count)
}

/// Asserts that no more is left than before. Linux shows a thread for a moment after it has ended.
fn assert_left(before: [usize; 2]) {
    let [threads, files] = before;
    assert_eq!(count("/proc/self/fd"), files);
    let deadline = Instant::now() + Duration::from_secs(1);
    while count("/proc/self/task") != threads {
        assert!(Instant::now() < deadline, "{:?} and {before:?}", left());
        thread::sleep(Duration::from_millis(1));
    }
}

/// A server with all possible threads: its hub listens but sends nothing.
fn config(hub: &TcpListener) -> Config {
    let hub = hub.local_addr().expect("it listens");
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        http: Some(([127, 0, 0, 1], 0).into()),
        workers: 3,
        credentials: Credentials::Token(HASH.to_owned()),
        leaf: Some(Leaf {
            urls: vec![format!("nats-leaf://{hub}").parse().expect("a URL")],
            deny_imports: Vec::new(),
            deny_exports: Vec::new(),
            proof: ProofFile::None,
            ca: None,
            certificate: None,
            tls_first: false,
        }),
        ..Config::default()
    }
}

#[test]
fn no_thread_and_no_descriptor_is_left() {
    let hub = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let [threads, _] = left();
    // The first server opens what the process keeps open.
    drop(Server::bind(config(&hub)).expect("a free port").spawn());
    let before = [threads, count("/proc/self/fd")];
    let mut handles = Vec::new();
    for round in 0..6 {
        let server = Server::bind(config(&hub)).expect("a free port");
        let server = server.spawn().expect("a thread");
        assert!(left() > before);
        handles.push(server.handle());
        let mut clients = Vec::new();
        for _ in 0..10 {
            let stream = TcpStream::connect(server.address()).expect("it listens");
            let patience = Some(Duration::from_secs(20));
            stream.set_read_timeout(patience).expect("not zero");
            let mut client = BufReader::new(stream);
            let mut line = String::new();
            client.read_line(&mut line).expect("it says INFO");
            let connect = b"CONNECT {\"verbose\":false,\"auth_token\":\"secret\"}\r\nPING\r\n";
            client.get_mut().write_all(connect).expect("it reads");
            clients.push(client);
        }
        if round % 2 == 0 {
            server.drain();
            server.wait().expect("nothing is lost");
        } else {
            drop(server);
        }
        drop(clients);
        assert_left(before);
    }
    // A server that never runs leaves nothing either.
    handles.push(Server::bind(config(&hub)).expect("a free port").handle());
    assert_left(before);
    assert!(handles.iter().all(broker_server::Handle::is_draining));
}

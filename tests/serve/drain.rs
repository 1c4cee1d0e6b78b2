//! The end of the server.

use std::io::Write as _;
use std::time::Duration;

use rustix::process::Signal;

use crate::client::Client;
use crate::server::Server;

#[test]
fn what_was_published_before_sigterm_arrives() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(&[]);
        let mut subscribers: Vec<_> = (0..4).map(|_| server.connect()).collect();
        for subscriber in &mut subscribers {
            subscriber.send("SUB last.* 1\r\n");
            subscriber.sync();
        }
        let mut publisher = server.connect();
        let payload = "x".repeat(1000);
        let frame = format!("PUB last.a 1000\r\n{payload}\r\n");
        publisher.send(frame.repeat(2000));
        publisher.sync();
        server.signal(signal);
        let message = format!("MSG last.a 1 1000\r\n{payload}\r\n");
        for subscriber in &mut subscribers {
            for _ in 0..2000 {
                subscriber.expect(&message);
            }
            let info = subscriber.read_info();
            assert_eq!(info["ldm"], true);
            subscriber.expect_end();
        }
        assert_eq!(server.wait().code(), Some(0));
        server.wait_for_log("drained");
    }
}

/// Workers whose clients are done end before others.
#[test]
fn clients_that_publish_to_the_end_do_not_hold_it_up() {
    for _ in 0..4 {
        let mut server = Server::start(&["--workers", "2", "--drain-timeout", "20"]);
        let mut subscribers: Vec<_> = (0..4).map(|_| server.connect()).collect();
        for subscriber in &mut subscribers {
            subscriber.send("SUB on.> 1\r\n");
            subscriber.sync();
        }
        let publishers: Vec<_> = (0..4).map(|_| server.connect()).collect();
        let ends: Vec<_> = subscribers.into_iter().chain(publishers).collect();
        let threads = ends.into_iter().map(|mut client| {
            let mut stream = client.stream.try_clone().expect("it is open");
            let writing = std::thread::spawn(move || {
                while stream.write_all(b"PUB on.and.on 1\r\nx\r\n").is_ok() {
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
            std::thread::spawn(move || {
                client.read_to_end();
                writing.join().expect("it writes");
            })
        });
        let threads: Vec<_> = threads.collect();
        std::thread::sleep(Duration::from_millis(50));
        server.signal(Signal::TERM);
        assert_eq!(server.wait().code(), Some(0));
        for thread in threads {
            thread.join().expect("it reads");
        }
    }
}

/// Returns a client that does not read, with much pending output, and the publisher.
pub(crate) fn with_a_stuck_client(server: &Server) -> [Client; 2] {
    let mut stuck = server.connect();
    stuck.send("SUB flood 1\r\n");
    stuck.sync();
    let mut publisher = server.connect();
    let frame = format!("PUB flood 1000000\r\n{}\r\n", "x".repeat(1_000_000));
    publisher.send(frame.repeat(20));
    publisher.sync();
    [stuck, publisher]
}

#[test]
fn a_client_that_does_not_read_holds_it_up_for_so_long_only() {
    let mut server = Server::start(&["--drain-timeout", "0.2"]);
    let _clients = with_a_stuck_client(&server);
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1));
    server.wait_for_log("--drain-timeout");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&["--drain-timeout", "1000"]);
    let _clients = with_a_stuck_client(&server);
    server.signal(Signal::TERM);
    server.wait_for_log("draining");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1));
}

#[test]
fn a_server_without_clients_ends_at_once() {
    let mut server = Server::start(&[]);
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn input_of_many_turns_is_executed_before_the_end() {
    const SUBSCRIPTIONS: usize = 20_000;
    const MESSAGES: usize = 60;
    let mut server = Server::start(&["--workers", "1"]);
    let mut subscriber = server.connect();
    for sid in 0..SUBSCRIPTIONS {
        subscriber.send(format!("SUB wide {sid}\r\n"));
    }
    subscriber.sync();
    let reading = std::thread::spawn(move || subscriber.read_to_end());
    let mut publisher = server.connect();
    // One write, and far more work than one turn.
    publisher.send("PUB wide 1\r\nx\r\n".repeat(MESSAGES));
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    let read = reading.join().expect("it reads");
    let count = read.windows(9).filter(|text| text == b"MSG wide ").count();
    assert_eq!(count % SUBSCRIPTIONS, 0);
    assert!(count == 0 || count == MESSAGES * SUBSCRIPTIONS, "{count}");
}

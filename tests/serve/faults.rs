//! Clients that disconnect, send garbage or do not read, and a system without resources.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Bystanders, CONNECT, Client};
use crate::server::Server;

#[test]
fn garbage_does_not_disturb_others() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::of(&server);
    let mut rng = fastrand::Rng::with_seed(42);
    for round in 0..200 {
        let mut client = server.open();
        let length = rng.usize(1..5000);
        let mut noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(length).collect();
        if round % 2 == 0 {
            // A valid beginning.
            let start: &[u8] = [
                &b"PUB a 9999\r\n"[..],
                b"SUB ",
                b"CONNECT {",
                b"HPUB x 1 2\r\n",
            ][round / 2 % 4];
            noise = [start, &noise].concat();
        }
        client.send_in_vain(&noise);
        let _ = client.stream.shutdown(Shutdown::Write);
        client.read_to_end();
    }
    bystanders.check();
}

#[test]
fn a_client_that_is_gone_within_a_frame_leaves_nothing_behind() {
    let server = Server::start(&[]);
    let mut bystanders = Bystanders::of(&server);
    let mut subscriber = server.connect();
    subscriber.send("SUB cut.> 1\r\n");
    subscriber.sync();
    let frames = [
        "PUB cut.a 100000\r\nhalf of it",
        "PUB cut.a 5\r\n12345",
        "PUB cut.a 5\r\n12345\r",
        "PUB cut.a ",
        "HPUB cut.a 12 14\r\nNATS/1.0\r\n",
        "SUB cut",
        "PIN",
    ];
    for frame in frames {
        let mut client = server.connect();
        client.send(frame);
        drop(client);
    }
    // A reset instead of a regular end.
    for _ in 0..20 {
        let mut client = server.connect();
        client.send("SUB cut.> 1\r\nPUB other.a 100\r\nhalf");
        let socket = socket2::SockRef::from(&client.stream);
        socket
            .set_linger(Some(std::time::Duration::ZERO))
            .expect("it is TCP");
    }
    bystanders.check();
    subscriber.sync();
}

#[test]
fn a_subscriber_that_never_reads_is_dropped_alone() {
    const MESSAGES: usize = 4000;
    /// 1.6 MB, less than half of what may be pending.
    const AHEAD: usize = 200;
    let server = Server::start(&["--max-pending", "4000000"]);
    let mut bystanders = Bystanders::of(&server);
    let mut stuck: Vec<_> = std::iter::repeat_with(|| {
        let mut client = server.connect();
        client.send("SUB flood 1\r\n");
        client.sync();
        client
    })
    .take(2)
    .collect();
    let mut reader = server.connect();
    reader.send("SUB flood 1\r\n");
    reader.sync();
    let payload = "x".repeat(8192);
    let frame = format!("PUB flood 8192\r\n{payload}\r\n");
    let mut publisher = server.connect();
    let read = Arc::new(AtomicUsize::new(0));
    let so_far = Arc::clone(&read);
    let sending = thread::spawn(move || {
        for sent in 0..MESSAGES {
            // On a busy machine, the one that reads would otherwise be too slow as well.
            while sent > so_far.load(Relaxed) + AHEAD {
                thread::sleep(Duration::from_micros(100));
            }
            publisher.send(&frame);
        }
        publisher.sync();
    });
    let expected = format!("MSG flood 1 8192\r\n{payload}\r\n");
    for _ in 0..MESSAGES {
        reader.expect(&expected);
        read.fetch_add(1, Relaxed);
    }
    sending.join().expect("the publisher goes on");
    reader.sync();
    server.wait_for_log("Slow Consumer");
    #[cfg(target_os = "linux")]
    assert!(server.resident() < 64 << 20, "{}", server.resident());
    for stuck in &mut stuck {
        let received = stuck.read_to_end();
        assert!(received.len() < MESSAGES * expected.len());
    }
    bystanders.check();
}

/// All memory of disconnected clients is returned about ten seconds later, even if the server is
/// idle.
#[test]
#[cfg(all(target_os = "linux", feature = "sized-jemalloc"))]
fn memory_goes_back_while_the_server_rests() {
    use std::time::Instant;

    const MIB: usize = 1 << 20;
    let server = Server::start(&[]);
    let mut publisher = server.connect();
    let before = server.resident();
    let stuck: Vec<_> = std::iter::repeat_with(|| {
        let mut client = Client::with_room(server.port, 4096);
        client.line();
        client.connect();
        client.send("SUB flood 1\r\n");
        client.sync();
        client
    })
    .take(8)
    .collect();
    let frame = format!("PUB flood 60000\r\n{}\r\n", "x".repeat(60_000));
    for _ in 0..600 {
        publisher.send(&frame);
    }
    publisher.sync();
    assert!(server.resident() > before + 24 * MIB);
    drop(stuck);
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.resident() > before + 8 * MIB {
        let resident = server.resident();
        assert!(Instant::now() < deadline, "{resident}, {before} at first");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_subscriber_that_stops_reading_is_dropped_after_a_while() {
    let server = Server::start(&["--write-deadline", "0.3"]);
    let mut bystanders = Bystanders::of(&server);
    let mut stuck = server.connect();
    stuck.send("SUB flood 1\r\n");
    stuck.sync();
    let mut publisher = server.connect();
    let frame = format!("PUB flood 1000000\r\n{}\r\n", "x".repeat(1_000_000));
    for _ in 0..20 {
        publisher.send(&frame);
    }
    publisher.sync();
    server.wait_for_log("Slow Consumer");
    stuck.read_to_end();
    bystanders.check();
}

/// Has one client publish 32 MB as fast as it can, with a limit of 4 MB on pending output, and
/// checks that another on the other worker gets all of it, with a call of `pause` before each
/// message.
fn expect_all_despite(pause: impl Fn(usize)) {
    const MESSAGES: usize = 4000;
    let server = Server::start(&["--workers", "2", "--max-pending", "4000000"]);
    let mut slow = server.connect();
    slow.send("SUB slow 1\r\n");
    slow.sync();
    let payload = "x".repeat(8192);
    let frame = format!("PUB slow 8192\r\n{payload}\r\n");
    let mut publisher = server.connect();
    let sending = thread::spawn(move || {
        for _ in 0..MESSAGES {
            publisher.send(&frame);
        }
        publisher.sync();
    });
    let expected = format!("MSG slow 1 8192\r\n{payload}\r\n");
    for index in 0..MESSAGES {
        pause(index);
        slow.expect(&expected);
    }
    sending.join().expect("the publisher goes on");
    slow.sync();
}

#[test]
fn a_slower_subscriber_is_waited_for() {
    expect_all_despite(|index| {
        if index % 50 == 1 {
            thread::sleep(Duration::from_millis(5));
        }
    });
}

/// The pause is far below the 0.8 s in which a publisher, as it is slowed down, can fill the limit:
/// half of it at once, a quarter at 13 MB/s and the rest at 1.3 MB/s.
#[test]
fn a_subscriber_that_pauses_is_waited_for() {
    expect_all_despite(|index| {
        if index == 0 {
            thread::sleep(Duration::from_millis(200));
        }
    });
}

/// Each message is read alone, into the buffer that the one before was in.
#[test]
fn a_publisher_that_waits_after_each_message_is_slowed_down_too() {
    let server = Server::start(&["--workers", "1", "--max-pending", "4000000"]);
    let mut slow = Client::with_room(server.port, 4096);
    slow.read_info();
    slow.connect();
    slow.send("SUB slow 1\r\n");
    slow.sync();
    let mut publisher = server.connect();
    let message = format!("PUB slow 8192\r\n{}\r\n", "x".repeat(8192));
    let start = Instant::now();
    let is_closed = || {
        server
            .log()
            .iter()
            .any(|line| line.contains("Slow Consumer"))
    };
    while !is_closed() {
        publisher.send(&message);
        publisher.sync();
    }
    // A quarter of the limit takes 0.8 s at 1.3 MB/s.
    let took = start.elapsed();
    assert!(took > Duration::from_millis(500), "{took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_free_files_new_connections_wait() {
    let server = Server::with_open_files(48);
    let mut bystanders = Bystanders::of(&server);
    let mut clients: Vec<_> = std::iter::repeat_with(|| Client::to(server.port))
        .take(80)
        .collect();
    server.wait_for_log("cannot accept connections");
    bystanders.check();
    // A waiting client is accepted when others leave.
    let mut count = 0;
    for mut client in clients.drain(..) {
        client.read_info();
        client.send(CONNECT);
        client.sync();
        count += 1;
    }
    assert_eq!(count, 80);
    bystanders.check();
}

//! Many, slow or idle connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::arena::{Attack, scaled};
use crate::attacker::Attacker;
use crate::client::CONNECT;
use crate::http::get;

/// Sends each attacker's text one byte at a time.
fn byte_by_byte(target: &crate::arena::Target, attackers: &mut Vec<Attacker>, text: &[u8]) {
    for byte in text {
        if !target.goes_on() {
            break;
        }
        attackers.retain_mut(|attacker| attacker.send([*byte]));
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn connects_that_come_byte_by_byte() {
    Attack::new("slow connect").run(|target| {
        let mut attackers: Vec<_> = (0..200).map_while(|_| target.open()).collect();
        byte_by_byte(target, &mut attackers, CONNECT);
    });
}

#[test]
fn payloads_that_come_byte_by_byte() {
    Attack::new("slow payload").run(|target| {
        let mut attackers = target.connect_many(200);
        for attacker in &mut attackers {
            attacker.send("PUB slow 1048576\r\n");
        }
        byte_by_byte(target, &mut attackers, &[b'x'; 1000]);
    });
}

#[test]
fn many_connections_at_once() {
    Attack::new("burst").run(|target| {
        for _ in 0..3 {
            let attackers: Vec<_> = (0..scaled(1000, 300))
                .map_while(|_| target.open())
                .collect();
            drop(attackers);
        }
    });
}

#[test]
fn connections_that_come_to_be_refused() {
    let garbage = "GET / HTTP/1.1\r\nHost: broker\r\n\r\n";
    Attack::new("garbage").run(|target| {
        while target.goes_on() {
            let Some(mut attacker) = target.open() else {
                break;
            };
            attacker.send(garbage);
            while attacker.read_a_little() {
                if !target.goes_on() {
                    break;
                }
            }
        }
    });
}

#[test]
fn idle_connections_to_the_monitor() {
    let attack = Attack::new("monitor").flags(&["--http", "127.0.0.1:0"]);
    attack.run(|target| {
        let port = target.server.http_port();
        let idle: Vec<_> = (0..10)
            .map_while(|_| TcpStream::connect(("127.0.0.1", port)).ok())
            .collect();
        let start = Instant::now();
        let (status, _) = get(port, "/healthz");
        let took = start.elapsed();
        drop(idle);
        // A liveness probe typically times out after a second.
        let soon = took < Duration::from_secs(1);
        target.expect(soon, format!("/healthz took {took:?}"));
        assert_eq!(status, "HTTP/1.1 200 OK");
        // One client reads nothing, and one never completes its request.
        let mut slow = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        slow.set_read_timeout(Some(Duration::from_millis(10)))
            .expect("not zero");
        for _ in 0..20 {
            let _ = slow.write_all(b"X");
            let _ = slow.read(&mut [0]);
        }
        assert_eq!(get(port, "/healthz").0, "HTTP/1.1 200 OK");
    });
}

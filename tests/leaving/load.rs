//! Members drain and rejoin all the time while publishers publish.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, Frame};
use crate::ledger::{Ledger, Reading, number_in};
use crate::server::{Server, from_environment};
use crate::workers::Workers;

const PUBLISHERS: usize = 2;

/// Members that leave, besides one that stays.
const LEAVERS: usize = 6;

/// Messages between two PINGs of a publisher, which waits for PONG so that members keep up.
const BATCH: usize = 100;

/// Joins, works and drains as nats.go does, until told to stop; counts the drains.
fn come_and_drain(server: &Server, ledger: &Ledger, stop: &AtomicBool, drains: &AtomicUsize) {
    let mut rng = fastrand::Rng::new();
    while !stop.load(Ordering::Relaxed) {
        let mut member = server.connect();
        // Two subscriptions, each of which is drained.
        member.send("SUB load.0 members 1\r\nSUB load.1 members 2\r\n");
        let until = Instant::now() + Duration::from_millis(rng.u64(0..15));
        while Instant::now() < until {
            member.send("PING\r\n");
            process_until_pong(&mut member, ledger);
        }
        member.send("UNSUB 1\r\nUNSUB 2\r\nPING\r\n");
        process_until_pong(&mut member, ledger);
        drains.fetch_add(1, Ordering::Relaxed);
    }
}

fn process_until_pong(member: &mut Client, ledger: &Ledger) {
    loop {
        match member.frame().expect("the connection goes on") {
            Frame::Message { payload, .. } => ledger.came(number_in(&payload)),
            Frame::Line(line) if line == "PING" => {}
            Frame::Line(line) => {
                assert_eq!(line, "PONG");
                return;
            }
        }
    }
}

#[test]
fn nothing_is_lost_while_members_drain() {
    let time = Duration::from_secs(from_environment("LEAVING_SECONDS", 3));
    let workers = Workers::start(&[]);
    let ledger = Ledger::default();
    let (stop, drains) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut publishers: Vec<_> = (0..PUBLISHERS)
        .map(|index| workers.connect(index % 2))
        .collect();
    let mut stayer = workers.connect(0);
    stayer.send("SUB load.* members 1\r\n");
    stayer.sync();
    let staying = ledger.clone();
    let stayer = Reading::start(stayer, move |frame| {
        if let Frame::Message { payload, .. } = frame {
            staying.came(number_in(&payload));
        }
    });
    let server = &workers.server;
    thread::scope(|scope| {
        let leavers: Vec<_> = (0..LEAVERS)
            .map(|_| scope.spawn(|| come_and_drain(server, &ledger, &stop, &drains)))
            .collect();
        let end = Instant::now() + time;
        let publishing: Vec<_> = publishers
            .iter_mut()
            .enumerate()
            .map(|(index, publisher)| {
                let ledger = &ledger;
                scope.spawn(move || {
                    while Instant::now() < end {
                        let frame = |_| {
                            let payload = ledger.issue().to_string();
                            format!("PUB load.{index} {}\r\n{payload}\r\n", payload.len())
                        };
                        publisher.send((0..BATCH).map(frame).collect::<String>());
                        publisher.sync();
                    }
                })
            })
            .collect();
        // Joins all of them, so no `all`, which stops at the first failure.
        let failed = publishing.into_iter().map(thread::ScopedJoinHandle::join);
        let failed = failed.filter(Result::is_err).count();
        // The leavers end even if publishers have failed.
        stop.store(true, Ordering::Relaxed);
        assert_eq!(failed, 0, "publishers panicked");
        for leaver in leavers {
            assert!(leaver.join().is_ok(), "a member panicked");
        }
    });
    stayer.expect_goes_on();
    let drains = drains.into_inner();
    eprintln!("{drains} drains, {} messages", ledger.issued());
    ledger.expect_each_once(&format!("{drains} drains"));
}

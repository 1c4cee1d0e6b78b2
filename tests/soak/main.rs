//! Random clients connect, leave, stall and die next to steady ones, for any length of time.
//! Clients that stay must not lose a message or get one twice, and the server must keep nothing of
//! clients that have left.
//!
//! `SOAK_SECONDS` sets the duration, `SOAK_CLIENTS` the number of concurrent visitors. `SOAK_SEED`
//! repeats the visitors' random choices of a run, but not the order in which the system served
//! them. `SERVER_UNDER_TEST` names another server.

#![cfg(target_os = "linux")]

#[path = "../common/client.rs"]
mod client;
#[path = "../common/http.rs"]
mod http;
mod ledger;
mod members;
mod message;
mod once;
mod requests;
mod run;
#[path = "../common/server.rs"]
mod server;
mod steady;
mod strangers;
mod visitor;
mod visitors;
mod wanderer;
mod watch;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Signal;

use crate::run::Run;
use crate::server::{Description, Program, Server, from_environment, is_slow, stated_memory};
use crate::steady::Steady;
use crate::watch::{Held, Memory};

const MIB: u64 = 1 << 20;

const WORKERS: usize = 2;

/// Low, so visitors who do not read are closed soon.
const MAX_PENDING: usize = 512 * 1024;

const MAX_MEMORY: u64 = 64 * MIB;

/// Most memory that Broker may hold at the end for the remaining clients, in bytes: each takes a
/// KiB and has no pending output.
const MOST_HELD: u64 = 256 * 1024;

/// The promises to clients also apply to nats-server; memory use and exit code are checked only for
/// Broker.
fn is_broker() -> bool {
    matches!(Program::chosen(), Program::Broker(_))
}

fn start() -> Server {
    let flags = format!("--workers {WORKERS} --max-memory {MAX_MEMORY}");
    Server::described(&Description {
        // The highest value that nats-server accepts.
        max_payload: Some(MAX_PENDING),
        max_pending: Some(MAX_PENDING),
        monitor: true,
        broker_flags: flags.split(' ').map(str::to_owned).collect(),
        ..Description::default()
    })
}

#[test]
fn nothing_is_lost_or_left_behind_while_visitors_come_and_go() {
    let lasts = Duration::from_secs(from_environment("SOAK_SECONDS", 6));
    let clients = from_environment("SOAK_CLIENTS", if is_slow() { 24 } else { 48 });
    let seed = from_environment("SOAK_SEED", fastrand::u64(..));
    eprintln!("SOAK_SEED={seed}");
    let mut server = start();
    let run = Run::new(server.port, seed);
    let mut steady = Steady::start(&run);
    let before = Held::settled(&server);
    let visitors = visitors::start(&run, usize::try_from(clients).expect("few enough"));
    let mut memory = Memory::default();
    memory.watch(&run, &server, lasts);

    run.end_visits();
    join(visitors);
    // The steady clients continue meanwhile.
    before.wait_for(&run, &server);
    run.end_publishing();
    steady.join_publishers(&run);
    watch::expect_idle(&run, &server);
    if !run.has_failed() {
        judge(&run, &server, &memory, lasts);
    }
    finish(&run, &mut server, steady);
    let (_, kinds) = visitors::visits();
    eprintln!("{}\n{kinds}", run.summary());
    let faults = run.faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        // A panic is recorded as a fault.
        let _ = thread.join();
    }
}

/// Checks the server's statistics.
fn judge(run: &Run, server: &Server, memory: &Memory, lasts: Duration) {
    let varz = server.varz();
    let slow = varz["slow_consumers"].as_u64().expect("a number");
    // nats-server's monitoring does not report it.
    let held = varz["memory"].as_u64().unwrap_or_default();
    let (has_grown, growth) = memory.judge();
    let peak = server.peak_memory();
    let stated = stated_memory(WORKERS, MAX_MEMORY);
    let expect = |holds: bool, otherwise: &str| {
        if !holds {
            run.fault(otherwise);
        }
    };
    expect(slow > 0, "no client was slow");
    let (published, _, _) = run.ledger.sums();
    let least = steady::least_published(lasts);
    expect(published >= least, "the steady publishers were too slow");
    expect(
        held < MOST_HELD,
        "more memory is held for the remaining clients than they need",
    );
    let is_capped = |line: &String| line.contains("maximum memory exceeded");
    expect(
        !server.log().iter().any(is_capped),
        "clients were closed because of the memory limit, although their limits stay below it",
    );
    if is_broker() {
        expect(!has_grown, "memory grows");
        expect(peak <= stated, "more memory than stated");
    }
    eprintln!(
        "{slow} slow consumers; memory: {growth}, peak {} of {} MiB, {held} bytes held at the end",
        peak / MIB,
        stated / MIB
    );
}

/// Stops the server with a drain, unless there was a fault before.
fn finish(run: &Arc<Run>, server: &mut Server, steady: Steady) {
    let has_failed = run.has_failed();
    run.end();
    server.signal(if has_failed {
        Signal::KILL
    } else {
        Signal::TERM
    });
    let status = server.wait();
    if !has_failed && !status.success() && is_broker() {
        run.fault(format!("the server ends with {status}"));
    }
    steady.join_readers();
}

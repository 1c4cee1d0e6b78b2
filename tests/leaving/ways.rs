//! All ways of leaving, from a queue group and as the only responder, with the publisher on the
//! leaver's worker and on the other one.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Frame};
use crate::ledger::{Ledger, Reading, number_in};
use crate::rounds;
use crate::server::PATIENCE;
use crate::workers::{Placed, Workers};

/// Messages per round.
const MESSAGES: usize = 20;

/// The worker of the leavers.
const LEAVERS: usize = 0;

/// How a leaver leaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Unsub,
    UnsubWithMax,
    /// UNSUB, PING, process everything before the PONG, then close: how clients drain.
    Drain,
    /// Closes its sending side, and reads until the end.
    HalfClose,
    Close,
    /// Resets the connection.
    Kill,
    /// Does not read until the server closes the connection.
    SlowConsumer,
}

impl Way {
    /// Returns whether the leaver processes everything that the server sent to it. If not, the data
    /// in its socket is lost, as with any server, and the test can count only what the server sent
    /// to each client.
    fn is_graceful(self) -> bool {
        !matches!(self, Self::Close | Self::Kill | Self::SlowConsumer)
    }

    fn workers(self) -> Workers {
        match self {
            // A leaver must become slow soon, but the remaining readers must not, even on a busy
            // machine.
            Self::SlowConsumer => Workers::start(&["--write-deadline", "2"]),
            _ => Workers::start(&[]),
        }
    }

    fn rounds(self) -> u64 {
        match self {
            // Each takes megabytes and waits for the deadline.
            Self::SlowConsumer => rounds().div_ceil(25),
            _ => rounds(),
        }
    }

    /// Size that messages are padded to, which `format!` limits to 65,535. Sockets buffer megabytes
    /// before a client is slow.
    fn size(self) -> usize {
        match self {
            Self::SlowConsumer => 60_000,
            _ => 0,
        }
    }
}

/// A leaver.
struct Leaver {
    way: Way,
    placed: Placed,
    max: usize,
    received: usize,
    /// Messages that arrived after the PONG that followed its UNSUB, which are not processed.
    late: usize,
}

impl Leaver {
    /// Joins; the server has registered the subscription when this returns.
    fn join(
        workers: &Workers,
        way: Way,
        subscription: &str,
        rng: &mut fastrand::Rng,
        take: &mut impl FnMut(&mut Client, Frame),
    ) -> Self {
        let mut placed = workers.connect(LEAVERS);
        let max = rng.usize(1..=MESSAGES / 2);
        if way == Way::SlowConsumer {
            let socket = socket2::SockRef::from(&placed.stream);
            socket.set_recv_buffer_size(4096).expect("it is TCP");
        }
        placed.send(format!("SUB {subscription} 1\r\n"));
        if way == Way::UnsubWithMax {
            placed.send(format!("UNSUB 1 {max}\r\n"));
        }
        let mut leaver = Self {
            way,
            placed,
            max,
            received: 0,
            late: 0,
        };
        leaver.process_until_pong(take);
        leaver
    }

    fn process_until_pong(&mut self, take: &mut impl FnMut(&mut Client, Frame)) {
        self.placed.send("PING\r\n");
        self.process(take);
    }

    /// Processes messages until a PONG or the end.
    fn process(&mut self, take: &mut impl FnMut(&mut Client, Frame)) {
        while let Some(frame) = self.placed.frame() {
            match frame {
                Frame::Line(line) if line == "PONG" => return,
                Frame::Line(line) => assert_eq!(line, "PING"),
                message @ Frame::Message { .. } => {
                    self.received += 1;
                    // A client that has closed its sending side answers on another connection.
                    if self.way == Way::HalfClose {
                        take(self.placed.twin(), message);
                    } else {
                        take(&mut self.placed, message);
                    }
                }
            }
        }
    }

    /// Begins to leave, while messages are on their way.
    fn begin(&mut self, rng: &mut fastrand::Rng) {
        // Keeps the worker busy before the important frames, so messages from the other worker
        // queue up meanwhile.
        let busy = "UNSUB 9\r\n".repeat(rng.usize(0..3000));
        self.placed.send(busy);
        match self.way {
            Way::Unsub | Way::Drain => self.placed.send("UNSUB 1\r\nPING\r\n"),
            Way::HalfClose => {
                // The server may have sent megabytes less than it wants to.
                let _ = self.placed.stream.shutdown(Shutdown::Write);
            }
            Way::Close => {
                let _ = self.placed.stream.shutdown(Shutdown::Both);
            }
            // It leaves by itself, or in `end`.
            Way::UnsubWithMax | Way::Kill | Way::SlowConsumer => {}
        }
    }

    /// Leaves after everything was published. Returns the number of messages that came too late.
    fn end(mut self, take: &mut impl FnMut(&mut Client, Frame)) -> usize {
        match self.way {
            Way::Unsub | Way::HalfClose | Way::Drain => self.process(take),
            Way::UnsubWithMax => {
                self.placed.send("UNSUB 1\r\n");
                self.process_until_pong(take);
                assert!(self.received <= self.max, "more than UNSUB asked for");
            }
            Way::Close | Way::Kill | Way::SlowConsumer => return 0,
        }
        if matches!(self.way, Way::Unsub | Way::UnsubWithMax) {
            let _ = self.placed.stream.shutdown(Shutdown::Write);
            while let Some(frame) = self.placed.frame() {
                self.late += usize::from(matches!(frame, Frame::Message { .. }));
            }
        }
        self.late
    }
}

/// Sends one round's messages while the leaver leaves. `frame` makes a message.
fn publish_round(
    way: Way,
    publisher: &mut Client,
    leaver: &mut Option<Leaver>,
    rng: &mut fastrand::Rng,
    frame: &mut dyn FnMut() -> String,
) {
    let before = rng.usize(0..=MESSAGES);
    let mut frames = |count: usize| (0..count).map(|_| frame()).collect::<String>();
    publisher.send(frames(before));
    if way == Way::Kill {
        let leaver = leaver.take().expect("it has just joined");
        leaver.placed.end_with_reset();
    } else if let Some(leaver) = leaver {
        leaver.begin(rng);
    }
    // The workers race here. A random pause lets each of them be first at times.
    let pause = Instant::now() + Duration::from_micros(rng.u64(0..200));
    while Instant::now() < pause {
        std::hint::spin_loop();
    }
    publisher.send(frames(MESSAGES - before));
}

/// Publishes until the server has closed a slow consumer.
fn publish_until_slow(
    workers: &Workers,
    publisher: &mut Client,
    frame: &mut dyn FnMut() -> String,
) {
    let before = workers.counter("slow_consumers");
    let deadline = Instant::now() + PATIENCE;
    while workers.counter("slow_consumers") == before {
        assert!(Instant::now() < deadline, "no client is slow");
        publisher.send((0..MESSAGES).map(|_| frame()).collect::<String>());
        // Slow enough for the remaining readers, even in a test without optimisation.
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn wait_until(what: &str, mut values: impl FnMut() -> (u64, u64)) {
    // Counters are updated after each round of a worker.
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let (found, expected) = values();
        if found == expected {
            return;
        }
        let late = Instant::now() > deadline;
        assert!(!late, "{what}: {found}, not {expected}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Members leave a group, in which one member on each worker stays.
fn from_queue(way: Way, publisher: usize) {
    let workers = way.workers();
    let ledger = Ledger::default();
    let stayers = [0, 1].map(|worker| {
        let mut stayer = workers.connect(worker);
        stayer.send("SUB work members 1\r\n");
        stayer.sync();
        let ledger = ledger.clone();
        Reading::start(stayer, move |frame| {
            if let Frame::Message { payload, .. } = frame {
                ledger.came(number_in(&payload));
            }
        })
    });
    let mut publisher = workers.connect(publisher);
    let mut rng = fastrand::Rng::with_seed(7);
    let mut take = |_: &mut Client, frame: Frame| {
        if let Frame::Message { payload, .. } = frame {
            ledger.came(number_in(&payload));
        }
    };
    let mut frame = || {
        let payload = format!("{:.<1$}", ledger.issue(), way.size());
        format!("PUB work {}\r\n{payload}\r\n", payload.len())
    };
    let mut late = 0;
    for _ in 0..way.rounds() {
        let leaver = Leaver::join(&workers, way, "work members", &mut rng, &mut take);
        let mut leaver = Some(leaver);
        publish_round(way, &mut publisher, &mut leaver, &mut rng, &mut frame);
        if way == Way::SlowConsumer {
            publish_until_slow(&workers, &mut publisher, &mut frame);
        }
        publisher.sync();
        late += leaver.map_or(0, |leaver| leaver.end(&mut take));
        stayers.iter().for_each(Reading::expect_goes_on);
    }
    let issued = ledger.issued() as u64;
    if way.is_graceful() {
        ledger.expect_each_once(&format!("{late} came after the PONG"));
    }
    wait_until("published", || (workers.counter("in_msgs"), issued));
    let slow = workers.counter("slow_consumers");
    let handed = format!("handed to members, {slow} of them slow");
    wait_until(&handed, || (workers.counter("out_msgs"), issued));
    ledger.expect_none_twice();
}

/// The only responder leaves, and then the next one joins. Each request gets a reply or a 503.
fn as_responder(way: Way, requester: usize) {
    let workers = way.workers();
    let mut requester = workers.connect(requester);
    requester.send("SUB answers.* 1\r\nPUB nobody answers.0 0\r\n\r\n");
    let refused = requester.frame();
    assert!(
        matches!(refused, Some(Frame::Message { .. })),
        "{refused:?}"
    );
    requester.sync();
    // A server may or may not count a 503 as a message.
    wait_until("published", || (workers.counter("in_msgs"), 1));
    let counted = workers.counter("out_msgs");

    let ledger = Ledger::default();
    let refusals = Arc::new(AtomicU64::new(0));
    let (answered, refused) = (ledger.clone(), Arc::clone(&refusals));
    let mut requester = Reading::start(requester, move |frame| {
        if let Frame::Message {
            subject, headers, ..
        } = frame
        {
            let number = subject.strip_prefix("answers.").expect("as asked for");
            answered.came(number_in(number.as_bytes()));
            let none = headers.starts_with(b"NATS/1.0 503");
            refused.fetch_add(u64::from(none), Ordering::Relaxed);
        }
    });
    let mut rng = fastrand::Rng::with_seed(8);
    let mut take = |client: &mut Client, frame: Frame| {
        if let Frame::Message { reply, .. } = frame {
            let reply = reply.expect("it is a request");
            client.send(format!("PUB {reply} 0\r\n\r\n"));
        }
    };
    let padding = ".".repeat(way.size());
    let mut frame = || {
        let (number, length) = (ledger.issue(), padding.len());
        format!("PUB service answers.{number} {length}\r\n{padding}\r\n")
    };
    let mut late = 0;
    for _ in 0..way.rounds() {
        let leaver = Leaver::join(&workers, way, "service", &mut rng, &mut take);
        let mut leaver = Some(leaver);
        let publisher = &mut requester.client;
        publish_round(way, publisher, &mut leaver, &mut rng, &mut frame);
        if way == Way::SlowConsumer {
            publish_until_slow(&workers, publisher, &mut frame);
        }
        late += leaver.map_or(0, |leaver| leaver.end(&mut take));
    }
    let issued = ledger.issued() as u64;
    if way.is_graceful() {
        ledger.expect_each_once(&format!("{late} came after the PONG"));
        return;
    }
    // Requests without a reply were refused by the server or delivered to a responder.
    wait_until("requests", || (workers.counter("in_msgs") - 1, issued));
    wait_until("refused or handed to a responder", || {
        let refusals = refusals.load(Ordering::Relaxed);
        let handed = workers.counter("out_msgs") - counted * (1 + refusals);
        (handed + refusals, issued)
    });
    ledger.expect_none_twice();
}

/// A module for each way, with a test for each position of the publisher.
macro_rules! ways {
    ($($name:ident: $way:ident),* $(,)?) => {$(
        mod $name {
            use super::{LEAVERS, Way, as_responder, from_queue};

            #[test]
            fn from_a_queue_on_the_publishers_worker() {
                from_queue(Way::$way, LEAVERS);
            }

            #[test]
            fn from_a_queue_on_another_worker() {
                from_queue(Way::$way, 1 - LEAVERS);
            }

            #[test]
            fn as_a_responder_on_the_requesters_worker() {
                as_responder(Way::$way, LEAVERS);
            }

            #[test]
            fn as_a_responder_on_another_worker() {
                as_responder(Way::$way, 1 - LEAVERS);
            }
        }
    )*};
}

ways! {
    unsub: Unsub,
    unsub_with_max: UnsubWithMax,
    drain: Drain,
    half_close: HalfClose,
    close: Close,
    kill: Kill,
    slow_consumer: SlowConsumer,
}

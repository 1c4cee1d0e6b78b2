//! Clients that stay from the beginning to the end, and must lose nothing.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, Frame};
use crate::ledger::{PUBLISHERS, READERS};
use crate::members::FAREWELLS;
use crate::message;
use crate::requests;
use crate::run::Run;

/// Messages that a publisher sends at a time.
const BATCH: u64 = 10;

/// Time between two batches: 1000 messages a second in total, each of which goes to three groups
/// and to about three readers.
const INTERVAL_MS: u64 = 40;

/// Returns the least number of messages that the publishers must publish in this time: one in fifty
/// of those that are due, and none in the first half minute, as the machine may be busy. A server
/// that becomes ever slower loses nothing, but the test must detect it.
pub(crate) fn least_published(time: Duration) -> u64 {
    let counted = time.saturating_sub(Duration::from_secs(30));
    let batches = counted.as_secs() * 1000 / INTERVAL_MS;
    batches * BATCH * PUBLISHERS as u64 / 50
}

/// How many messages a publisher may be ahead of a reader or a group: few enough to fit into the
/// sockets' buffers, so the server does not see a slow reader even on a busy machine.
const AHEAD: u64 = 60;

/// How long a message may take before it counts as lost.
const ON_ITS_WAY: Duration = Duration::from_secs(15);

/// How long a steady connection may have nothing to read.
const SILENCE: Duration = Duration::from_mins(5);

/// All steady clients, connected and subscribed.
pub(crate) struct Steady {
    /// They read until the server ends the connection.
    readers: Vec<JoinHandle<()>>,
    /// They end with the publishers.
    publishers: Vec<JoinHandle<()>>,
}

impl Steady {
    pub(crate) fn start(run: &Arc<Run>) -> Self {
        // All clients subscribe before any client publishes.
        let reading: Vec<_> = (0..READERS.len())
            .map(|index| subscribe(run, index))
            .collect();
        let mut witness = run.connect();
        witness.send(format!("SUB {FAREWELLS} 1\r\n"));
        witness.sync();
        let (responders, requesters) = requests::connect(run);
        let publishing: Vec<_> = (0..PUBLISHERS).map(|_| run.connect()).collect();
        let readers = reading.into_iter().enumerate().map(|(index, client)| {
            run.spawn(format!("reader {index}"), move |run| {
                read(run, client, index);
            })
        });
        let witness = run.spawn("the witness", move |run| hear_farewells(run, witness));
        let publishers = publishing.into_iter().enumerate().map(|(index, client)| {
            let name = format!("publisher {index}");
            run.spawn(name, move |run| publish(run, client, index))
        });
        Self {
            readers: readers.chain(responders).chain([witness]).collect(),
            publishers: publishers.chain(requesters).collect(),
        }
    }

    /// Waits until everything is published and has arrived.
    pub(crate) fn join_publishers(&mut self, run: &Run) {
        for publisher in self.publishers.drain(..) {
            let _ = publisher.join();
        }
        for publisher in 0..PUBLISHERS {
            wait_until_none(run, || run.ledger.missing(publisher, 0));
        }
        wait_until_none(run, || run.ledger.farewells.missing());
    }

    pub(crate) fn join_readers(self) {
        for reader in self.readers {
            let _ = reader.join();
        }
    }
}

fn subscribe(run: &Run, index: usize) -> Client {
    let mut client = run.connect();
    let groups = &run.ledger.groups;
    let (pattern, group) = (READERS[index].text, groups[index % groups.len()].name);
    client.send(format!("SUB {pattern} 1\r\nSUB work.> {group} 2\r\n"));
    client.sync();
    client
}

fn read(run: &Run, mut client: Client, index: usize) {
    let ledger = &run.ledger;
    let group = &ledger.groups[index % ledger.groups.len()];
    follow(run, &mut client, |_, frame| {
        let Frame::Message {
            subject,
            sid,
            headers,
            payload,
            ..
        } = frame
        else {
            return Err(format!("{frame:?}"));
        };
        let (publisher, number) = message::read(&subject, &headers, &payload)?;
        match sid.as_str() {
            "1" => ledger.came(index, publisher, number),
            "2" => group.came(publisher, number),
            _ => Err(format!("no subscription {sid}")),
        }
    });
}

fn hear_farewells(run: &Run, mut client: Client) {
    follow(run, &mut client, |_, frame| match frame {
        Frame::Message { payload, .. } => {
            let text = String::from_utf8_lossy(&payload);
            run.ledger.farewells.came(&text)
        }
        Frame::Line(line) => Err(line),
    });
}

/// Passes frames other than PING and INFO to `take` until the server closes the connection, which
/// it must not do before its own end.
pub(crate) fn follow(
    run: &Run,
    client: &mut Client,
    mut take: impl FnMut(&mut Client, Frame) -> Result<(), String>,
) {
    // The connection may be silent for long while the run ends. Other checks detect lost messages
    // sooner.
    let set = client.stream.set_read_timeout(Some(SILENCE));
    set.expect("a time that is not zero");
    let name = || thread::current().name().unwrap_or_default().to_owned();
    while let Some(frame) = client.any_frame() {
        let taken = match &frame {
            Frame::Line(line) if line == "PING" => {
                client.send("PONG\r\n");
                Ok(())
            }
            Frame::Line(line) if line.starts_with("INFO ") => Ok(()),
            _ => take(client, frame),
        };
        if let Err(fault) = taken {
            return run.fault(format!("{}: {fault}", name()));
        }
    }
    if !run.is_ending() {
        run.fault(format!("the connection of {} has ended", name()));
    }
}

fn publish(run: &Run, mut client: Client, index: usize) {
    let mut number = 0;
    let mut due = Instant::now();
    while run.is_publishing() {
        let mut frames = Vec::new();
        for number in number..number + BATCH {
            message::append_frame(&mut frames, index, number);
        }
        number += BATCH;
        run.ledger.publish(index, BATCH);
        client.send(frames);
        client.sync();
        // No receiver may be too far behind.
        wait_until_none(run, || run.ledger.missing(index, AHEAD));
        // Batches that could not be sent in time are skipped: the machine is busy.
        due = Instant::now().max(due + Duration::from_millis(INTERVAL_MS));
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// Waits until nothing is missing, with a timeout.
fn wait_until_none(run: &Run, missing: impl Fn() -> Option<String>) {
    let deadline = Instant::now() + ON_ITS_WAY;
    while let Some(missing) = missing() {
        if run.has_failed() {
            return;
        }
        if Instant::now() > deadline {
            return run.fault(missing);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

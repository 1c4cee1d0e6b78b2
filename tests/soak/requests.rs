//! Requests to steady responders, which are always answered, and to visitors, which are answered at
//! most once.

use std::iter;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::client::{Client, Frame};
use crate::run::{Run, count};
use crate::server::PATIENCE;
use crate::steady::follow;

/// Number of responders, and of requesters: one of each per worker.
const RESPONDERS: usize = 2;

/// Time between two requests.
const INTERVAL: Duration = Duration::from_millis(5);

/// The subject of responders among the visitors, in a queue group.
pub(crate) const HOPES: &str = "hopes";

/// The answer of a server to a request without responders.
const REFUSAL: &[u8] = b"NATS/1.0 503";

/// Connects and starts the threads: those that read until the server ends, and those that end with
/// the publishers.
pub(crate) fn connect(run: &Arc<Run>) -> (Vec<JoinHandle<()>>, Vec<JoinHandle<()>>) {
    let subscribed = |subscription: String| {
        let mut client = run.connect();
        client.send(format!("SUB {subscription} 1\r\n"));
        client.sync();
        client
    };
    let responders: Vec<_> = (0..RESPONDERS)
        .map(|index| {
            let client = subscribed("questions responders".to_owned());
            run.spawn(format!("responder {index}"), |run| respond(run, client))
        })
        .collect();
    let requesters = (0..RESPONDERS).map(|index| {
        let client = subscribed(format!("answers.of-{index}.*"));
        let ask = move |run: &Run| ask(run, client, index);
        run.spawn(format!("requester {index}"), ask)
    });
    let hopeful = subscribed("fulfilled.*".to_owned());
    let hopeful = run.spawn("the hopeful requester", |run| hope(run, hopeful));
    (responders, requesters.chain(iter::once(hopeful)).collect())
}

fn respond(run: &Run, mut client: Client) {
    follow(run, &mut client, |client, frame| {
        let Some(answer) = answer(&frame) else {
            return Err(format!("{frame:?}"));
        };
        client.send(answer);
        Ok(())
    });
}

/// Returns the answer to a frame, if it is a request.
pub(crate) fn answer(frame: &Frame) -> Option<Vec<u8>> {
    let Frame::Message {
        reply: Some(reply),
        payload,
        ..
    } = frame
    else {
        return None;
    };
    let head = format!("PUB {reply} {}\r\n", payload.len());
    Some([head.as_bytes(), payload, b"\r\n"].concat())
}

fn ask(run: &Run, mut client: Client, index: usize) {
    let mut number = 0;
    while run.is_publishing() {
        let (inbox, question) = (format!("answers.of-{index}.{number}"), number.to_string());
        let length = question.len();
        client.send(format!("PUB questions {inbox} {length}\r\n{question}\r\n"));
        // Without an answer, the harness's timeout ends the wait with a panic.
        let is_right = match next(&mut client) {
            Some(Frame::Message {
                subject,
                headers,
                payload,
                ..
            }) => subject == inbox && headers.is_empty() && payload == question.as_bytes(),
            _ => false,
        };
        if !is_right {
            run.fault(format!(
                "request {number} to a steady responder is not answered"
            ));
            return;
        }
        count(&run.counts.answered, 1);
        number += 1;
        thread::sleep(INTERVAL);
    }
}

/// Returns the next frame other than PING.
fn next(client: &mut Client) -> Option<Frame> {
    loop {
        match client.any_frame()? {
            Frame::Line(line) if line == "PING" => client.send("PONG\r\n"),
            frame => return Some(frame),
        }
    }
}

fn hope(run: &Run, mut client: Client) {
    while run.is_publishing() {
        request_in_hope(run, &mut client);
        client.send("PING\r\n");
        // Answers before the PONG may be for any earlier request.
        loop {
            match next(&mut client) {
                Some(Frame::Line(line)) if line == "PONG" => break,
                Some(frame) => note(run, &frame),
                None => return run.fault("the hopeful requester's connection has ended"),
            }
        }
        thread::sleep(INTERVAL);
    }
    if run.has_failed() {
        return;
    }
    // All responders have left by now, so this request is refused.
    let patience = Some(PATIENCE / 4);
    let set = client.stream.set_read_timeout(patience);
    set.expect("a time that is not zero");
    let last = request_in_hope(run, &mut client);
    loop {
        match next(&mut client) {
            Some(frame @ Frame::Message { .. }) => {
                note(run, &frame);
                if let Frame::Message {
                    subject, headers, ..
                } = frame
                    && subject == last
                {
                    if !headers.starts_with(REFUSAL) {
                        run.fault("a responder that has left answers");
                    }
                    return;
                }
            }
            frame => return run.fault(format!("the hopeful requester got {frame:?}")),
        }
    }
}

/// Sends a request and returns its reply subject.
fn request_in_hope(run: &Run, client: &mut Client) -> String {
    let number = run.ledger.hopes.issue();
    let text = number.to_string();
    let (inbox, length) = (format!("fulfilled.{number}"), text.len());
    client.send(format!("PUB {HOPES} {inbox} {length}\r\n{text}\r\n"));
    inbox
}

/// Counts an answer or a refusal, of which each request has at most one.
fn note(run: &Run, frame: &Frame) {
    let Frame::Message {
        subject, headers, ..
    } = frame
    else {
        return run.fault(format!("the hopeful requester got {frame:?}"));
    };
    let number = subject.trim_start_matches("fulfilled.");
    if let Err(fault) = run.ledger.hopes.came(number) {
        run.fault(fault);
    }
    let counts = &run.counts;
    if headers.starts_with(REFUSAL) {
        count(&counts.refused, 1);
    } else {
        count(&counts.fulfilled, 1);
    }
}

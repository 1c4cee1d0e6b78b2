//! Two message losses as they were first observed.

use crate::client::{Client, Frame};
use crate::rounds;
use crate::workers::Workers;

/// Returns the number of messages before the PONG.
fn messages(client: &mut Client) -> usize {
    let mut count = 0;
    client.send("PING\r\n");
    loop {
        match client.frame().expect("the connection goes on") {
            Frame::Message { .. } => count += 1,
            Frame::Line(line) if line == "PING" => {}
            Frame::Line(line) => {
                assert_eq!(line, "PONG");
                return count;
            }
        }
    }
}

#[test]
fn a_member_with_a_max_takes_its_share_and_another_takes_the_rest() {
    let workers = Workers::start(&[]);
    let mut lost = 0;
    for round in 0..rounds() {
        let mut limited = workers.connect(0);
        limited.send("SUB q g 1\r\nUNSUB 1 3\r\n");
        limited.sync();
        let mut other = workers.connect(usize::from(round % 2 == 0));
        other.send("SUB q g 2\r\n");
        other.sync();
        let mut publisher = workers.connect(1);
        publisher.send("PUB q 1\r\nx\r\n".repeat(20));
        publisher.sync();
        // Messages between workers may need a moment.
        let (mut few, mut rest) = (0, 0);
        for _ in 0..50 {
            few += messages(&mut limited);
            rest += messages(&mut other);
            if few + rest >= 20 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(few <= 3, "UNSUB 1 3 let {few} pass");
        assert!(few + rest <= 20, "{few} and {rest}");
        lost += 20 - few - rest;
    }
    assert_eq!(lost, 0, "lost of {}", 20 * rounds());
}

/// Of two concurrent requests to a responder with a maximum of one, the second gets a 503.
fn two_requests_for_one(responder: &str, requester: usize) {
    let workers = Workers::start(&[]);
    let mut unanswered = 0;
    for _ in 0..rounds() {
        let mut one = workers.connect(0);
        one.send(format!("SUB {responder} 1\r\nUNSUB 1 1\r\n"));
        one.sync();
        let mut requester = workers.connect(requester);
        requester.send("SUB answers.* 1\r\n");
        requester.sync();
        requester.send("PUB r answers.1 0\r\n\r\nPUB r answers.2 0\r\n\r\n");
        let (subject, reply) = match one.frame() {
            Some(Frame::Message { subject, reply, .. }) => (subject, reply),
            other => panic!("no request, but {other:?}"),
        };
        assert_eq!(subject, "r");
        let reply = reply.expect("it is a request");
        one.send(format!("PUB {reply} 0\r\n\r\n"));
        one.sync();
        let mut answers = 0;
        for _ in 0..50 {
            answers += messages(&mut requester);
            if answers >= 2 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(answers <= 2, "{answers} answers to two requests");
        unanswered += 2 - answers;
    }
    assert_eq!(unanswered, 0, "without an answer in {} rounds", rounds());
}

#[test]
fn the_second_of_two_requests_to_a_responder_for_one_is_refused() {
    two_requests_for_one("r", 1);
}

#[test]
fn the_second_of_two_requests_to_a_queue_for_one_is_refused() {
    two_requests_for_one("r g", 1);
}

#[test]
fn the_second_of_two_requests_on_the_same_worker_is_refused() {
    two_requests_for_one("r", 0);
}

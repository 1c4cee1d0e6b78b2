//! Tests the order of events: workers without threads take steps in random order, and every message
//! is counted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::key::ConnectionKey;
use super::rig::{Rig, Then, WORKERS};

const CONNECT: &str = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1}\r\n";

fn connect(rig: &mut Rig, worker: usize) -> ConnectionKey {
    let key = rig.connect(worker);
    send(rig, key, CONNECT);
    key
}

/// Makes a client send frames and its worker execute them.
fn send(rig: &mut Rig, key: ConnectionKey, frames: &str) {
    rig.write(key, frames.as_bytes());
    let turn = rig.turn(key, u64::MAX);
    assert_eq!((turn.used, turn.then), (frames.len(), Then::Idle));
}

/// Makes the client leave after it has got its pending output.
fn leave(rig: &mut Rig, key: ConnectionKey) {
    rig.shut(key);
    assert_eq!(rig.turn(key, u64::MAX).then, Then::Left);
}

/// Returns the lines of all clients that start with `start`.
fn lines(rig: &Rig, start: &str) -> Vec<String> {
    let texts = rig.outputs().map(|(_, read)| String::from_utf8_lossy(read));
    let lines = texts.flat_map(|text| {
        let lines = text.lines().filter(|line| line.starts_with(start));
        lines.map(str::to_owned).collect::<Vec<_>>()
    });
    lines.collect()
}

/// Returns one random worker outside of `except` as busy, or none.
fn some_busy(random: &mut fastrand::Rng, except: usize) -> Vec<usize> {
    let others = (0..WORKERS).filter(|&worker| worker != except);
    others.filter(|_| random.bool()).collect()
}

#[test]
fn each_group_message_reaches_one_member_while_others_leave() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rig = Rig::new();
        let stays = connect(&mut rig, random.usize(..WORKERS));
        send(&mut rig, stays, "SUB q g 1\r\nSUB *.> g 2\r\n");
        let publishers: Vec<_> = (0..WORKERS)
            .map(|worker| connect(&mut rig, worker))
            .collect();
        let mut members = Vec::new();
        let mut published = 0;
        for _ in 0..200 {
            match random.u8(..8) {
                0 | 1 => {
                    let member = connect(&mut rig, random.usize(..WORKERS));
                    send(&mut rig, member, "SUB q g 1\r\n");
                    if random.bool() {
                        send(
                            &mut rig,
                            member,
                            &format!("UNSUB 1 {}\r\n", random.u8(1..5)),
                        );
                    }
                    members.push(member);
                }
                2 if !members.is_empty() => {
                    let member = members.swap_remove(random.usize(..members.len()));
                    if random.bool() {
                        send(&mut rig, member, "UNSUB 1\r\n");
                    } else {
                        leave(&mut rig, member);
                    }
                }
                3 | 4 => {
                    let worker = random.usize(..WORKERS);
                    let busy = some_busy(&mut random, worker);
                    rig.while_busy(&busy, |rig| {
                        rig.step(worker);
                    });
                }
                _ => {
                    let from = publishers[random.usize(..WORKERS)];
                    let mut frames = String::new();
                    for _ in 0..random.u8(1..30) {
                        published += 1;
                        let text = format!("{published:06}");
                        let _ = write!(frames, "PUB q 6\r\n{text}\r\n");
                    }
                    let busy = some_busy(&mut random, from.worker());
                    rig.while_busy(&busy, |rig| send(rig, from, &frames));
                }
            }
        }
        rig.settle();
        rig.collect();
        let heads = lines(&rig, "MSG q ");
        assert_eq!(heads.len(), published, "seed {seed}");
        let payloads: BTreeSet<_> = lines(&rig, "0").into_iter().collect();
        assert_eq!(payloads.len(), published, "seed {seed}");
    }
}

#[test]
fn each_undelivered_request_gets_a_503() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rig = Rig::new();
        let requesters: Vec<_> = (0..WORKERS)
            .map(|worker| connect(&mut rig, worker))
            .collect();
        for (number, &requester) in requesters.iter().enumerate() {
            send(&mut rig, requester, &format!("SUB answer.{number}.* 1\r\n"));
        }
        let mut responders = Vec::new();
        let mut requests = BTreeSet::new();
        for _ in 0..200 {
            match random.u8(..8) {
                0 => {
                    let responder = connect(&mut rig, random.usize(..WORKERS));
                    let group = ["", " g", " h"][random.usize(..3)];
                    send(
                        &mut rig,
                        responder,
                        &format!("SUB service{group} 1\r\nUNSUB 1 2\r\n"),
                    );
                    responders.push(responder);
                }
                1 | 2 if !responders.is_empty() => {
                    let responder = responders.swap_remove(random.usize(..responders.len()));
                    if random.bool() {
                        send(&mut rig, responder, "UNSUB 1\r\n");
                    } else {
                        leave(&mut rig, responder);
                    }
                }
                3 | 4 => {
                    let worker = random.usize(..WORKERS);
                    rig.step(worker);
                }
                _ => {
                    let number = random.usize(..WORKERS);
                    let mut frames = String::new();
                    for _ in 0..random.u8(1..4) {
                        let reply = format!("answer.{number}.{}", requests.len());
                        let _ = write!(frames, "PUB service {reply} 1\r\nx\r\n");
                        requests.insert(reply);
                    }
                    let busy = some_busy(&mut random, number);
                    rig.while_busy(&busy, |rig| send(rig, requesters[number], &frames));
                }
            }
        }
        rig.settle();
        rig.collect();
        let word = |lines: Vec<String>, index: usize| -> Vec<String> {
            let word = |line: String| line.split(' ').nth(index).map(str::to_owned);
            lines.into_iter().filter_map(word).collect()
        };
        // MSG service 1 answer.0.1 1, and HMSG answer.0.1 1 16 16.
        let got: BTreeSet<_> = word(lines(&rig, "MSG service "), 3).into_iter().collect();
        let told = word(lines(&rig, "HMSG answer."), 1);
        let told_once: BTreeSet<_> = told.iter().cloned().collect();
        assert_eq!(told.len(), told_once.len(), "told twice with seed {seed}");
        assert!(got.is_disjoint(&told_once), "seed {seed}");
        let all: BTreeSet<_> = got.union(&told_once).cloned().collect();
        assert_eq!(all, requests, "seed {seed}");
    }
}

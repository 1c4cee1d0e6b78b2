//! A test of what happens in which order: workers without threads, whose steps are
//! chosen at random, and a count of every message.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossbeam::utils::CachePadded;

use super::config::{Config, Credentials};
use super::connection::Connection;
use super::execute::{Carried, Executor};
use super::key::ConnectionKey;
use super::local::Local;
use super::mailbox::{Mail, Mailbox};
use super::shared::{Peer, Shared};
use super::transport::Transport;
use crate::protocol::Limits;

const WORKERS: usize = 3;
const HOUR: Duration = Duration::from_hours(1);
const CONNECT: &str = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1}\r\n";

/// A server that does nothing by itself.
struct Rig {
    shared: Arc<Shared>,
    executors: Vec<Executor>,
    listener: TcpListener,
    last: u64,
    /// The clients' ends, and what they have read.
    clients: BTreeMap<ConnectionKey, (TcpStream, Vec<u8>)>,
    _polls: Vec<mio::Poll>,
}

impl Rig {
    fn new() -> Self {
        let polls: Vec<_> = (0..WORKERS)
            .map(|_| mio::Poll::new().expect("there are events"))
            .collect();
        let peer = |poll: &mio::Poll| {
            let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("one a poll");
            CachePadded::new(Peer::new(Mailbox::new(waker)))
        };
        let config = config();
        let info = super::info(&config, config.listen);
        let shared = Arc::new(Shared::new(
            config,
            info,
            #[cfg(feature = "tls")]
            None,
            None,
            polls.iter().map(peer).collect(),
        ));
        for index in 0..WORKERS {
            let (routes, connections) = (Arc::clone(&shared.routes), Arc::default());
            let local = Local::new(index, &shared.config, routes, connections);
            shared.place(index, local);
        }
        Self {
            executors: (0..WORKERS)
                .map(|index| Executor::new(index, Arc::clone(&shared)))
                .collect(),
            shared,
            listener: TcpListener::bind("127.0.0.1:0").expect("a free port"),
            last: 0,
            clients: BTreeMap::new(),
            _polls: polls,
        }
    }

    fn connect(&mut self, worker: usize) -> ConnectionKey {
        let address = self.listener.local_addr().expect("it listens");
        let client = TcpStream::connect(address).expect("it listens");
        let (server, address) = self.listener.accept().expect("it was connected");
        for end in [&client, &server] {
            end.set_nonblocking(true).expect("it is a socket");
        }
        self.last += 1;
        let id = self.last;
        let transport = Transport::new(mio::net::TcpStream::from_std(server));
        let key = {
            let mut place = self.shared.workers[worker].local();
            let local = place.as_mut().expect("it was put there");
            let now = Instant::now();
            local.insert(id, |key| {
                Connection::new(transport, address, key, id, now, HOUR)
            })
        };
        self.clients.insert(key, (client, Vec::new()));
        self.send(key, CONNECT);
        key
    }

    /// Has the client's worker carry frames out; what they cause elsewhere is yet to be
    /// carried out there, unless the worker there does nothing.
    fn send(&mut self, key: ConnectionKey, frames: &str) {
        let shared = Arc::clone(&self.shared);
        let mut place = shared.workers[key.worker()].local();
        let local = place.as_mut().expect("it was put there");
        let executor = &mut self.executors[key.worker()];
        let data = Bytes::copy_from_slice(frames.as_bytes());
        let (used, _, carried) = executor.carry_out(local, key, &data, u64::MAX);
        assert_eq!(carried, Carried::All { needed: 0 });
        assert_eq!(used, data.len());
        executor.dispatch.settle(local, &mut executor.cache);
        local.flush_all();
    }

    /// The client leaves, once it has got what waits for it.
    fn leave(&mut self, key: ConnectionKey) {
        let mut place = self.shared.workers[key.worker()].local();
        place.as_mut().expect("it was put there").leave(key);
    }

    /// Has a worker take one mail, if there is one, and remove some of what is gone.
    fn step(&mut self, worker: usize) -> bool {
        let shared = Arc::clone(&self.shared);
        let peer = &shared.workers[worker];
        let mut place = peer.local();
        let local = place.as_mut().expect("it was put there");
        let Executor {
            dispatch, cache, ..
        } = &mut self.executors[worker];
        let more = !local.clear_remains(1);
        let Some(mail) = peer.mailbox.take() else {
            return more;
        };
        match mail {
            Mail::Messages(batch, _) => dispatch.arrive(local, &batch),
            Mail::NoResponders(key, reply) => dispatch.nobody_answers(local, cache, key, &reply),
            other => panic!("{other:?}"),
        }
        dispatch.settle(local, cache);
        peer.mailbox.settle();
        local.flush_all();
        true
    }

    /// Runs `with` while other workers are busy, so that nobody stands in for them.
    fn while_busy(&mut self, busy: &[usize], with: impl FnOnce(&mut Self)) {
        let shared = Arc::clone(&self.shared);
        let held: Vec<_> = busy
            .iter()
            .map(|&worker| shared.workers[worker].local())
            .collect();
        with(self);
        drop(held);
    }

    fn settle(&mut self) {
        while (0..WORKERS).any(|worker| self.step(worker)) {}
        for peer in &self.shared.workers {
            assert_eq!(peer.mailbox.sent(), peer.mailbox.settled());
        }
        for (client, read) in self.clients.values_mut() {
            let mut chunk = [0; 4096];
            loop {
                match client.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(count) => read.extend_from_slice(&chunk[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Lines of all clients that start with this.
    fn lines(&self, start: &str) -> Vec<String> {
        let texts = self
            .clients
            .values()
            .map(|(_, read)| String::from_utf8_lossy(read));
        let lines = texts.flat_map(|text| {
            let lines = text.lines().filter(|line| line.starts_with(start));
            lines.map(str::to_owned).collect::<Vec<_>>()
        });
        lines.collect()
    }
}

pub(super) fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        http: None,
        workers: WORKERS,
        name: None,
        credentials: Credentials::None,
        tls: None,
        limits: Limits {
            max_control_line: 4096,
            max_payload: 1 << 20,
        },
        max_connections: 1000,
        max_subscriptions: 0,
        max_pending: 64 << 20,
        max_memory: 1 << 30,
        ping_interval: HOUR,
        max_pings_out: 2,
        auth_timeout: HOUR,
        write_deadline: HOUR,
        drain_timeout: HOUR,
    }
}

/// One of those workers that are not `except`, or none, is busy.
fn some_busy(random: &mut fastrand::Rng, except: usize) -> Vec<usize> {
    let others = (0..WORKERS).filter(|&worker| worker != except);
    others.filter(|_| random.bool()).collect()
}

#[test]
fn each_message_for_a_group_comes_to_one_member_whoever_leaves_in_between() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rig = Rig::new();
        let stays = rig.connect(random.usize(..WORKERS));
        rig.send(stays, "SUB q g 1\r\nSUB *.> g 2\r\n");
        let publishers: Vec<_> = (0..WORKERS).map(|worker| rig.connect(worker)).collect();
        let mut members = Vec::new();
        let mut published = 0;
        for _ in 0..200 {
            match random.u8(..8) {
                0 | 1 => {
                    let member = rig.connect(random.usize(..WORKERS));
                    rig.send(member, "SUB q g 1\r\n");
                    if random.bool() {
                        rig.send(member, &format!("UNSUB 1 {}\r\n", random.u8(1..5)));
                    }
                    members.push(member);
                }
                2 if !members.is_empty() => {
                    let member = members.swap_remove(random.usize(..members.len()));
                    if random.bool() {
                        rig.send(member, "UNSUB 1\r\n");
                    } else {
                        rig.leave(member);
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
                    rig.while_busy(&busy, |rig| rig.send(from, &frames));
                }
            }
        }
        rig.settle();
        let heads = rig.lines("MSG q ");
        assert_eq!(heads.len(), published, "seed {seed}");
        let payloads: BTreeSet<_> = rig.lines("0").into_iter().collect();
        assert_eq!(payloads.len(), published, "seed {seed}");
    }
}

#[test]
fn each_request_is_answered_for_if_nobody_gets_it() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rig = Rig::new();
        let requesters: Vec<_> = (0..WORKERS).map(|worker| rig.connect(worker)).collect();
        for (number, &requester) in requesters.iter().enumerate() {
            rig.send(requester, &format!("SUB answer.{number}.* 1\r\n"));
        }
        let mut responders = Vec::new();
        let mut requests = BTreeSet::new();
        for _ in 0..200 {
            match random.u8(..8) {
                0 => {
                    let responder = rig.connect(random.usize(..WORKERS));
                    let group = ["", " g", " h"][random.usize(..3)];
                    rig.send(responder, &format!("SUB service{group} 1\r\nUNSUB 1 2\r\n"));
                    responders.push(responder);
                }
                1 | 2 if !responders.is_empty() => {
                    let responder = responders.swap_remove(random.usize(..responders.len()));
                    if random.bool() {
                        rig.send(responder, "UNSUB 1\r\n");
                    } else {
                        rig.leave(responder);
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
                    rig.while_busy(&busy, |rig| rig.send(requesters[number], &frames));
                }
            }
        }
        rig.settle();
        let word = |lines: Vec<String>, index: usize| -> Vec<String> {
            let word = |line: String| line.split(' ').nth(index).map(str::to_owned);
            lines.into_iter().filter_map(word).collect()
        };
        // MSG service 1 answer.0.1 1, and HMSG answer.0.1 1 16 16.
        let got: BTreeSet<_> = word(rig.lines("MSG service "), 3).into_iter().collect();
        let told = word(rig.lines("HMSG answer."), 1);
        let told_once: BTreeSet<_> = told.iter().cloned().collect();
        assert_eq!(told.len(), told_once.len(), "told twice with seed {seed}");
        assert!(got.is_disjoint(&told_once), "seed {seed}");
        let all: BTreeSet<_> = got.union(&told_once).cloned().collect();
        assert_eq!(all, requests, "seed {seed}");
    }
}

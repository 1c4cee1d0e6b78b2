//! A cluster of three hubs; the hub that the leaf node is connected to is killed repeatedly.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, Frame};
use crate::server::{PATIENCE, Process, Server};

const HUBS: usize = 3;
const KILLS: usize = 10;

/// Subjects that a client of the leaf node subscribes to.
const INTERESTS: usize = 200;

/// The ports of one hub.
#[derive(Clone, Copy)]
struct Ports {
    clients: u16,
    leaves: u16,
    routes: u16,
}

/// A cluster whose servers can be killed and restarted.
struct Cluster {
    folder: PathBuf,
    ports: Vec<Ports>,
    hubs: Vec<Option<Process>>,
}

impl Cluster {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("hubs-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        // Bound at the same time, so all differ.
        let bound: Vec<_> = (0..HUBS * 3)
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free"))
            .collect();
        let numbers: Vec<_> = bound
            .iter()
            .map(|listener| listener.local_addr().expect("it is bound").port())
            .collect();
        drop(bound);
        let ports = numbers.chunks(3).map(|chunk| Ports {
            clients: chunk[0],
            leaves: chunk[1],
            routes: chunk[2],
        });
        let mut cluster = Self {
            folder,
            ports: ports.collect(),
            hubs: Vec::new(),
        };
        for hub in 0..HUBS {
            let process = cluster.launch(hub);
            cluster.hubs.push(Some(process));
        }
        cluster
    }

    fn launch(&self, hub: usize) -> Process {
        let others = self
            .ports
            .iter()
            .enumerate()
            .filter(|&(other, _)| other != hub);
        let routes: Vec<_> = others
            .map(|(_, ports)| format!("\"nats://127.0.0.1:{}\"", ports.routes))
            .collect();
        let own = self.ports[hub];
        let text = format!(
            "server_name: hub{hub}\nlisten: \"127.0.0.1:{}\"\n\
             leafnodes {{ listen: \"127.0.0.1:{}\" }}\n\
             cluster {{ name: hubs, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
            own.clients,
            own.leaves,
            own.routes,
            routes.join(", ")
        );
        let file = self.folder.join(format!("{hub}.conf"));
        std::fs::write(&file, text).expect("a file can be written");
        let program = std::env::var_os("HUB").expect("HUB names nats-server's executable file");
        let mut command = Command::new(program);
        command.arg("--config").arg(file);
        Process::start(command)
    }

    fn urls(&self) -> String {
        let urls = self.ports.iter();
        let urls: Vec<_> = urls
            .map(|ports| format!("nats-leaf://127.0.0.1:{}", ports.leaves))
            .collect();
        urls.join(",")
    }

    /// Returns the hub that the leaf node is connected to.
    fn of(&self, edge: &Server) -> Option<usize> {
        let (_, page) = crate::http::get(edge.http_port(), "/leafz");
        let page: Value = serde_json::from_str(&page).expect("JSON");
        let port = page["leafs"].get(0)?["port"].as_u64()?;
        let is_it = |ports: &Ports| u64::from(ports.leaves) == port;
        self.ports.iter().position(is_it)
    }

    /// Waits until the leaf node is connected to another hub than `before`.
    fn await_link(&self, edge: &Server, before: Option<usize>) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.of(edge) {
                Some(hub) if Some(hub) != before => return hub,
                _ => assert!(Instant::now() < deadline, "no link to another hub"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.hubs.clear();
        // Best effort: it is a temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Two clients of the leaf node that exchange messages all the time.
struct Traffic {
    goes_on: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
    publisher: thread::JoinHandle<u64>,
    subscriber: thread::JoinHandle<()>,
}

impl Traffic {
    fn start(edge: &Server) -> Self {
        let (goes_on, received) = (Arc::new(AtomicBool::new(true)), Arc::<AtomicU64>::default());
        let mut subscriber = edge.connect();
        subscriber.send("SUB local 1\r\n");
        subscriber.sync();
        let counted = Arc::clone(&received);
        let subscriber = thread::spawn(move || {
            let mut expected = 0_u64;
            while let Some(frame) = subscriber.frame() {
                let Frame::Message { payload, .. } = frame else {
                    continue;
                };
                if payload == b"end" {
                    return;
                }
                assert_eq!(
                    payload,
                    expected.to_string().as_bytes(),
                    "each once, in order"
                );
                expected += 1;
                counted.store(expected, Relaxed);
            }
            panic!("the connection has ended");
        });
        let mut publisher = edge.connect();
        let wanted = Arc::clone(&goes_on);
        let publisher = thread::spawn(move || {
            let mut number = 0_u64;
            while wanted.load(Relaxed) {
                let payload = number.to_string();
                publisher.send(format!("PUB local {}\r\n{payload}\r\n", payload.len()));
                number += 1;
                thread::sleep(Duration::from_millis(1));
            }
            publisher.send("PUB local 3\r\nend\r\n");
            publisher.sync();
            number
        });
        Self {
            goes_on,
            received,
            publisher,
            subscriber,
        }
    }

    /// Returns the number of messages, all of which arrived.
    fn end(self) -> u64 {
        self.goes_on.store(false, Relaxed);
        let sent = self.publisher.join().expect("it could publish");
        self.subscriber.join().expect("all came");
        assert_eq!(self.received.load(Relaxed), sent);
        sent
    }
}

/// Publishes to every subject at a hub. Each message must reach the leaf node's client once.
fn ask_for_all(at: &mut Client, edge: &mut Client) {
    for number in 0..INTERESTS {
        at.send(format!("PUB int.{number} 1\r\ny\r\n"));
    }
    // Duplicates would arrive before this message.
    at.send("PUB last 0\r\n\r\n");
    at.sync();
    let mut came = vec![0; INTERESTS];
    loop {
        match edge.frame().expect("it stays connected") {
            // Sent by [`await_interest`].
            Frame::Message { reply: Some(_), .. } => {}
            Frame::Message { subject, .. } if subject == "last" => break,
            Frame::Message { subject, .. } => {
                let number = subject.strip_prefix("int.").expect(&subject);
                came[number.parse::<usize>().expect("a number")] += 1;
            }
            Frame::Line(line) => assert_eq!(line, "PING"),
        }
    }
    assert!(came.iter().all(|&times| times == 1), "{came:?}");
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn a_leaf_goes_on_to_another_hub_of_a_cluster_and_local_clients_lose_nothing() {
    let mut cluster = Cluster::start();
    let edge = Server::start(&[
        "--name",
        "edge",
        "--http",
        "127.0.0.1:0",
        "--leaf",
        &cluster.urls(),
    ]);
    let mut hub = cluster.await_link(&edge, None);
    let mut subscriber = edge.connect();
    for number in 0..INTERESTS {
        subscriber.send(format!("SUB int.{number} {number}\r\n"));
    }
    subscriber.send("SUB last last\r\n");
    subscriber.sync();
    let traffic = Traffic::start(&edge);
    for _ in 0..KILLS {
        let process = cluster.hubs[hub].take().expect("it runs");
        process.signal(rustix::process::Signal::KILL);
        drop(process);
        let next = cluster.await_link(&edge, Some(hub));
        cluster.hubs[hub] = Some(cluster.launch(hub));
        // All subscriptions are known at the hub itself and at another one.
        for at in [next, 3 - hub - next] {
            let mut client = Client::to(cluster.ports[at].clients);
            client.read_info();
            // Without `"protocol":1`, because hubs would send INFO about each other at any time.
            client.send("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n");
            client.sync();
            await_interest(&mut client);
            ask_for_all(&mut client, &mut subscriber);
        }
        hub = next;
    }
    assert!(traffic.end() > 1000);
}

/// Waits until a hub knows the last subscription, whose client answers.
fn await_interest(client: &mut Client) {
    let deadline = Instant::now() + PATIENCE;
    client.send("SUB inbox 9\r\n");
    loop {
        client.send("PUB last inbox 0\r\n\r\nPING\r\n");
        let mut nobody = false;
        loop {
            match client.frame().expect("it stays connected") {
                Frame::Message { headers, .. } => nobody |= !headers.is_empty(),
                Frame::Line(line) if line == "PONG" => break,
                Frame::Line(_) => {}
            }
        }
        if !nobody {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "the hub does not learn of the subscription"
        );
        thread::sleep(Duration::from_millis(10));
    }
    client.send("UNSUB 9\r\n");
    client.sync();
}

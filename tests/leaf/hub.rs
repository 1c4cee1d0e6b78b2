//! nats-server as a hub.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::server::{Process, Server};

/// A running hub, which ends with the test.
pub(crate) struct Hub {
    process: Process,
    folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) leaf_port: u16,
}

impl Hub {
    /// Starts a hub with `more` in its configuration, in which `LEAF` stands for the leaf node
    /// settings.
    pub(crate) fn start(more: &str) -> Self {
        Self::at(more, "-1", "-1")
    }

    fn at(more: &str, port: &str, leaf_port: &str) -> Self {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let program = std::env::var_os("HUB").expect("HUB names nats-server's executable file");
        let number = FOLDERS.fetch_add(1, Relaxed);
        let name = format!("hub-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let (leaf, more) = more.split_once("---").unwrap_or(("", more));
        let store = folder.join("store");
        let configuration = format!(
            "server_name: hub\nlisten: \"127.0.0.1:{port}\"\n\
             leafnodes {{ listen: \"127.0.0.1:{leaf_port}\", {leaf} }}\n\
             jetstream {{ store_dir: \"{}\", domain: hub }}\n{more}\n",
            store.display()
        );
        let file = folder.join("hub.conf");
        std::fs::write(&file, configuration).expect("a file can be written");
        let mut command = Command::new(program);
        command.arg("--config").arg(file);
        let process = Process::start(command);
        Self {
            port: process.port,
            leaf_port: process.port_after("leafnode connections on "),
            process,
            folder,
        }
    }

    /// Restarts the hub on the same ports, after [`Self::kill`].
    pub(crate) fn restart(&mut self, more: &str) {
        let (port, leaf_port) = (self.port.to_string(), self.leaf_port.to_string());
        *self = Self::at(more, &port, &leaf_port);
    }

    /// Kills the hub.
    pub(crate) fn kill(&mut self) {
        self.process.signal(rustix::process::Signal::KILL);
        self.process.wait();
    }

    pub(crate) fn connect(&self) -> Client {
        let mut client = Client::to(self.port);
        client.read_info();
        client.connect();
        client
    }

    pub(crate) fn url(&self) -> String {
        format!("nats-leaf://127.0.0.1:{}", self.leaf_port)
    }

    /// Starts Broker as a leaf node of this hub, and waits for the link.
    pub(crate) fn leaf(&self, more: &[&str]) -> Server {
        let url = self.url();
        let server = Server::start(&[&["--leaf", &url, "--http", "127.0.0.1:0"], more].concat());
        server.wait_for_log("connected to hub hub at");
        server
    }

    /// Starts Broker as a leaf node whose link delays everything by this time.
    pub(crate) fn distant_leaf(&self, delay: Duration) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let hub = self.leaf_port;
        thread::spawn(move || {
            let (leaf, _) = listener.accept().expect("the leaf node connects");
            let hub = TcpStream::connect(("127.0.0.1", hub)).expect("the hub listens");
            let [from_leaf, from_hub] = [&leaf, &hub].map(TcpStream::try_clone);
            forward(from_leaf.expect("a handle"), hub, delay);
            forward(from_hub.expect("a handle"), leaf, delay);
        });
        let server = Server::start(&["--leaf", &format!("nats-leaf://{address}")]);
        server.wait_for_log("connected to hub hub at");
        server
    }
}

/// Forwards bytes, each after the same delay, until one side closes.
fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if sender
                .send((Instant::now() + delay, buffer[..count].to_vec()))
                .is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
    });
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Best effort: the hub may still write.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

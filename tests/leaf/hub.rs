//! nats-server as a hub.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

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
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Best effort: the hub may still write.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

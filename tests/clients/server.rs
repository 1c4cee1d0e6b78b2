//! The server under test, which can be stopped and restarted.

#![allow(unused_imports, reason = "each test executable uses a part")]

#[path = "../common/process.rs"]
mod process;

pub(crate) use process::{Description, Tls};
use process::{Process, Program};

/// A running server, killed when dropped.
pub(crate) struct Server {
    described: Description,
    running: Option<Process>,
    address: String,
    port: u16,
}

impl Server {
    /// Starts a server without authentication or TLS.
    pub(crate) fn start() -> Self {
        Self::described(Description::default())
    }

    pub(crate) fn described(described: Description) -> Self {
        let running = Program::chosen().start(&described, 0);
        Self {
            described,
            address: running.address(),
            port: running.port,
            running: Some(running),
        }
    }

    /// Starts the server on its previous port, and returns when it listens.
    pub(crate) fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server is running");
        self.running = Some(Program::chosen().start(&self.described, self.port));
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// Kills the server, like a crash.
    pub(crate) fn kill(&mut self) {
        drop(self.running.take().expect("the server is running"));
    }

    /// Stops the server as a service manager would, and waits until it has ended.
    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) {
        let mut running = self.running.take().expect("the server is running");
        running.signal(rustix::process::Signal::TERM);
        running.wait();
    }
}

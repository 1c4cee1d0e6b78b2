//! Runs `broker serve --config FILE`: the effect of a file, and of a reload.

#![cfg(unix)]

#[cfg(feature = "tls")]
#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/client.rs"]
mod client;
mod file;
#[path = "../common/http.rs"]
mod http;
mod reload;
#[path = "../common/server.rs"]
mod server;
mod settings;
#[cfg(feature = "tls")]
mod tls;
mod users;

use client::Client;
use file::File;
use server::Server;

impl Server {
    /// Starts a server with a file, on any free port.
    fn of(file: &File) -> Self {
        Self::start(&["--config", file.path()])
    }

    /// Connects as a user.
    fn login(&self, user: &str, password: &str) -> Client {
        let mut client = self.open();
        client.send(connect(user, password));
        client.sync();
        client
    }

    /// Asserts that this CONNECT is refused.
    fn refuses(&self, connect: &str) {
        let mut client = self.open();
        client.send(connect);
        client.expect("-ERR 'Authorization Violation'\r\n");
        client.expect_end();
    }
}

fn connect(user: &str, password: &str) -> String {
    format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,\"no_responders\":true,\"user\":\"{user}\",\"pass\":\"{password}\"}}\r\n"
    )
}

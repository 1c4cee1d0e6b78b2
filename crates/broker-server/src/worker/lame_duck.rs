//! The connections of a worker in lame duck mode.

use super::Worker;
use super::ending::keys;
use crate::key::ConnectionKey;
use crate::local::{Local, Reason};

impl Worker {
    /// Informs the clients that the server is shutting down.
    pub(super) fn warn(&mut self, local: &mut Local) {
        self.warned = keys(local);
        for index in 0..self.warned.len() {
            self.tell_of_end(local, self.warned[index]);
        }
        self.flush(local);
    }

    /// Closes the connection of one client, after executing its input so far and writing its
    /// pending output.
    pub(super) fn let_one_go(&mut self, local: &mut Local) {
        if self.draining.is_some() {
            return;
        }
        while let Some(key) = self.warned.pop() {
            if stays(local, key) {
                self.let_go(local, key);
                return;
            }
        }
        // Further connections may have arrived at the last moment.
        let all = keys(local);
        if let Some(key) = all.into_iter().find(|&key| stays(local, key)) {
            self.let_go(local, key);
        }
    }

    fn let_go(&mut self, local: &mut Local, key: ConnectionKey) {
        self.carry_out_last(local, key);
        self.settle(local);
        local.leave(key, Reason::Shutdown);
    }
}

/// Returns whether it is the connection of a client that is not being closed yet.
fn stays(local: &mut Local, key: ConnectionKey) -> bool {
    let client = local.get(key);
    client.is_some_and(|client| client.link.is_none() && !client.is_leaving())
}

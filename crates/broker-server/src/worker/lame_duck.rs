//! The connections of a worker while the server is a lame duck.

use super::Worker;
use super::ending::keys;
use crate::connection::Phase;
use crate::key::ConnectionKey;
use crate::local::Local;

impl Worker {
    /// Tells the clients that the server is about to end.
    pub(super) fn warn(&mut self, local: &mut Local) {
        self.warned = keys(local);
        for index in 0..self.warned.len() {
            self.tell_of_end(local, self.warned[index]);
        }
        self.flush(local);
    }

    /// Closes the connection of one client, when all is written that waits for it. What
    /// the client has sent so far is carried out.
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
        // Some may have come at the last moment.
        let all = keys(local);
        if let Some(key) = all.into_iter().find(|&key| stays(local, key)) {
            self.let_go(local, key);
        }
    }

    fn let_go(&mut self, local: &mut Local, key: ConnectionKey) {
        self.carry_out_last(local, key);
        self.settle(local);
        local.leave(key);
    }
}

/// Whether it is the connection of a client, which is not about to be closed.
fn stays(local: &mut Local, key: ConnectionKey) -> bool {
    let client = local.get(key);
    client.is_some_and(|client| client.link.is_none() && client.phase != Phase::Leaving)
}

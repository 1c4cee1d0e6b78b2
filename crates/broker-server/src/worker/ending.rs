//! The end of a worker's connections during shutdown.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{MOST_LAST_READS, Turn, Worker};
use crate::connection::Connection;
use crate::key::ConnectionKey;
use crate::local::{Local, Reason};

impl Worker {
    /// Informs a client that the server is shutting down, if the client supports that.
    pub(super) fn tell_of_end(&self, local: &mut Local, key: ConnectionKey) {
        if local.get(key).is_some_and(|client| client.options.info) {
            self.say_info(local, key);
        }
    }

    /// Returns whether the server is shutting down.
    pub(super) fn is_ending(&self) -> bool {
        self.draining.is_some() || self.shared.lame_duck.load(Ordering::Relaxed)
    }

    /// Executes the clients' remaining input, and informs them that the server is shutting down.
    pub(super) fn drain(&mut self, local: &mut Local) {
        if self.draining.is_some() {
            return;
        }
        self.draining = Some(local.now + self.shared.config.drain_timeout);
        // Clients were already informed in lame duck mode.
        let told = self.shared.lame_duck.load(Ordering::Relaxed);
        for key in keys(local) {
            self.carry_out_last(local, key);
            if !told {
                self.tell_of_end(local, key);
            }
        }
        self.flush(local);
        self.shared.workers[self.index]
            .quiet
            .store(true, Ordering::SeqCst);
        for peer in &self.shared.workers {
            peer.mailbox.wake();
        }
    }

    /// Executes a client's remaining input, up to a limit.
    pub(super) fn carry_out_last(&mut self, local: &mut Local, key: ConnectionKey) {
        for _ in 0..MOST_LAST_READS {
            let (mut turn, _) = self.turn(local, key);
            // Everything that was read is executed, in as many turns as necessary.
            while local.get(key).is_some_and(Connection::can_go_on) {
                turn = self.turn(local, key).0;
                if local.unsent > self.most_unsent {
                    self.flush(local);
                }
            }
            if local.unsent > self.most_unsent {
                self.flush(local);
            }
            if matches!(turn, Turn::Idle) || self.is_congested() {
                return;
            }
        }
    }

    /// Closes the connections whose output is written, once no other worker has messages for them.
    /// When none is left or the time is over, returns whether all output was written.
    pub(super) fn end(&mut self, local: &mut Local, deadline: Instant) -> Option<bool> {
        if self.shared.is_quiet() {
            self.read_mail(local);
            self.flush(local);
            let clients = local.clients.iter();
            let done: Vec<_> = clients
                .filter(|(_, client)| client.is_flushed())
                .map(|(_, client)| client.key)
                .collect();
            for key in done {
                local.close(key, Reason::Shutdown);
            }
            if local.clients.is_empty() {
                return Some(true);
            }
        }
        (local.now >= deadline).then_some(false)
    }
}

/// Returns the keys of all connections.
pub(super) fn keys(local: &Local) -> Vec<ConnectionKey> {
    let clients = local.clients.iter();
    clients.map(|(_, client)| client.key).collect()
}

/// Closes all connections at once.
pub(super) fn stop(local: &mut Local) {
    for key in keys(local) {
        local.close(key, Reason::Shutdown);
    }
}

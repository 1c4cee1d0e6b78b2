//! Checks hashed passwords, each of which takes tens of milliseconds of CPU time, in a thread of
//! its own, so no event loop waits.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use super::mailbox::{Given, Mail};
use super::shared::Shared;
use super::{ServerError, spawn};

/// Starts the thread, which ends with the server.
pub(crate) fn start(
    shared: &Arc<Shared>,
    given: Receiver<Given>,
) -> Result<JoinHandle<()>, ServerError> {
    // A strong reference would keep the sending end of the queue alive.
    let weak = Arc::downgrade(shared);
    spawn("passwords", move || {
        for (key, connect) in given {
            let Some(shared) = weak.upgrade() else {
                return;
            };
            // A nonce is for NKeys, whose check is fast.
            let grant = shared.settings().access.admit(&connect, None);
            let mail = Mail::Verified(key, connect, grant);
            shared.workers[key.worker()].mailbox.send(mail);
        }
    })
}

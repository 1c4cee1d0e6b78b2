//! Passwords that are kept as hashes, which take a CPU for tens of milliseconds each: a
//! thread of its own checks them, and no event loop waits for it.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use super::mailbox::{Given, Mail};
use super::shared::Shared;
use super::{ServerError, spawn};

/// Checks what comes for as long as the server lives.
pub(crate) fn start(
    shared: &Arc<Shared>,
    given: Receiver<Given>,
) -> Result<JoinHandle<()>, ServerError> {
    // What is shared holds the other end of the queue: both shall end with the server.
    let weak = Arc::downgrade(shared);
    spawn("passwords", move || {
        for (key, connect) in given {
            let Some(shared) = weak.upgrade() else {
                return;
            };
            // A nonce is for keys, which are not slow.
            let grant = shared.settings().access.admit(&connect, None);
            let mail = Mail::Verified(key, connect, grant);
            shared.workers[key.worker()].mailbox.send(mail);
        }
    })
}

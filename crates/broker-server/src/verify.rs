//! Passwords that are kept as hashes, which take a CPU for tens of milliseconds each: a
//! thread of its own checks them, and no event loop waits for it.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::mailbox::{Given, Mail};
use super::shared::Shared;
use super::{ServerError, spawn};

/// Checks what comes for as long as the program lives.
pub(crate) fn start(shared: Arc<Shared>, given: Receiver<Given>) -> Result<(), ServerError> {
    let verify = move || {
        for (key, connect) in given {
            let is_right = shared.config.credentials.accept(&connect);
            let mail = Mail::Verified(key, connect, is_right);
            shared.workers[key.worker()].mailbox.send(mail);
        }
    };
    spawn("passwords", verify).map(drop)
}

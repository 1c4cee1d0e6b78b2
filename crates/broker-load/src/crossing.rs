//! A load from one server to another, such as a leaf node and its hub.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::connect::{Connection, connect, text, timed_out};
use super::frames;
use super::scanner::Frame;
use super::{Address, LoadError, Login};

/// Time limit for the first message to arrive at the other server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time between probes.
const STEP: Duration = Duration::from_millis(10);

/// A server and the credentials for it.
pub(super) type Place<'a> = (&'a Address, &'a Login);

/// Waits until `from` knows all subscriptions that `to` has confirmed so far.
///
/// A server queues a subscription for other servers before it confirms the subscription, and sends
/// subscriptions in order. So when a probe reaches a later subscription, the earlier ones are
/// known.
pub(super) fn wait(from: Place<'_>, to: Place<'_>, run: &str) -> Result<(), LoadError> {
    let subject = frames::crossing(run);
    let (mut sender, _) = connect(from.0, from.1, "crossing".to_owned(), 4096)?;
    let (mut receiver, _) = connect(to.0, to.1, "crossing".to_owned(), 4096)?;
    receiver.confirm(&frames::subscribe(&subject, None))?;
    let timeout = receiver.stream.set_read_timeout(Some(STEP));
    timeout.map_err(LoadError::system("set a time limit"))?;
    let probe = frames::publish(&subject, "", 0);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let sent = sender.stream.write_all(&probe);
        sent.map_err(|error| LoadError::closed(sender.who.clone(), Some(&error)))?;
        if has_message(&mut receiver)? {
            return Ok(());
        }
    }
    Err(LoadError::Apart {
        from: from.0.to_string(),
        to: to.0.to_string(),
    })
}

/// Returns whether a message arrives within [`STEP`].
fn has_message(receiver: &mut Connection) -> Result<bool, LoadError> {
    loop {
        match receiver.scanner.frame() {
            Ok(Some(Frame::Message { .. })) => return Ok(true),
            Ok(Some(Frame::Error(said))) => {
                return Err(LoadError::Reported {
                    who: receiver.who.clone(),
                    said: text(said),
                });
            }
            Ok(Some(_)) => continue,
            Ok(None) => {}
            Err(error) => {
                let error = io::Error::other(error);
                return Err(LoadError::closed(receiver.who.clone(), Some(&error)));
            }
        }
        match receiver.scanner.fill(&mut receiver.stream) {
            Ok(taken) if taken.bytes > 0 => {}
            Ok(_) => return Err(LoadError::closed(receiver.who.clone(), None)),
            Err(error) if timed_out(&error) => return Ok(false),
            Err(error) => return Err(LoadError::closed(receiver.who.clone(), Some(&error))),
        }
    }
}

//! Waiting, and making sure that the server has dealt with everything.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::LoadError;
use super::counters::Counters;
use super::wire::Wire;

/// How long the server has to take what is left.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for events; being interrupted is none.
pub(super) fn poll(
    poll: &mut Poll,
    events: &mut Events,
    timeout: Option<Duration>,
) -> Result<(), LoadError> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => {
            Err(LoadError::system("wait for connections")(error))
        }
        _ => Ok(()),
    }
}

/// Sends what is left on each connection, then waits until the server answers a
/// PING. The connections are registered with `poll` by their places.
pub(super) fn flush(
    mut wires: Vec<Wire>,
    mut waiting: Poll,
    counters: &Counters,
) -> Result<(), LoadError> {
    let started = Instant::now();
    let mut answered = vec![false; wires.len()];
    for wire in &mut wires {
        wire.out().extend(b"PING\r\n");
        wire.flush()?;
    }
    let mut events = Events::with_capacity(256);
    while let Some(place) = answered.iter().position(|answered| !answered) {
        if counters.finished() {
            break;
        }
        if started.elapsed() > PATIENCE {
            return Err(stuck(&wires[place].who));
        }
        poll(&mut waiting, &mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let place = event.token().0;
            let Some(wire) = wires.get_mut(place) else {
                continue;
            };
            loop {
                let (heard, more) = wire.receive(|_, _, _| {})?;
                for _ in 0..heard.pings {
                    wire.out().extend(b"PONG\r\n");
                }
                answered[place] |= heard.pongs > 0;
                if !more {
                    break;
                }
            }
            wire.flush()?;
        }
    }
    Ok(())
}

/// The server takes nothing more from a connection.
pub(super) fn stuck(who: &str) -> LoadError {
    LoadError::Stuck {
        who: who.to_owned(),
        seconds: PATIENCE.as_secs(),
    }
}

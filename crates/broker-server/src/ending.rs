//! The end of a server: from when it takes no connections any more until all of its
//! workers have ended.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Waker};

use super::handle::{Wish, Wishes};
use super::mailbox::Mail;
use super::pace;
use super::shared::Shared;
use super::upkeep::Upkeep;
use super::{ServerError, system};

/// How often a lame duck looks whether it has any client left.
const LOOK: Duration = Duration::from_millis(100);

/// What the acceptor leaves behind when it has closed the port.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Handles wake it, and so do workers that end.
    pub(crate) poll: Poll,
    /// Kept for as long as the poll: what was written to a waker that is closed wakes nobody.
    pub(crate) _waker: Arc<Waker>,
    pub(crate) wishes: Arc<Wishes>,
}

impl Ending {
    /// Ends the server as it was asked to. Returns when none of its workers is `alive`.
    pub(crate) fn run(mut self, shared: &Shared, alive: &AtomicUsize) -> Result<(), ServerError> {
        self.lame_duck(shared)?;
        self.drain(shared, alive)
    }

    /// Closes the connections of clients one by one, if the server is a lame duck, until
    /// none is left or another end is asked for.
    fn lame_duck(&mut self, shared: &Shared) -> Result<(), ServerError> {
        if !self.is_lame_duck(shared) {
            return Ok(());
        }
        let config = &shared.config;
        let (duration, grace) = (config.lame_duck_duration, config.lame_duck_grace_period);
        tracing::info!(
            "lame duck: no more connections are taken; {} are closed after {} s",
            shared.connections(),
            grace.as_secs_f64()
        );
        shared.lame_duck.store(true, Ordering::Relaxed);
        send_all(shared, || Mail::LameDuck);
        let mut upkeep = Upkeep::new();
        let mut next = Instant::now() + grace;
        while self.is_lame_duck(shared) && Instant::now() < next {
            self.wait_until(next, shared, &mut upkeep)?;
        }
        if !self.is_lame_duck(shared) {
            return Ok(());
        }

        let peers = shared.workers.iter();
        let mut left: Vec<_> = peers
            .map(|peer| peer.connections.load(Ordering::Relaxed))
            .collect();
        let count = left.iter().sum();
        let interval = pace::interval(duration, grace, count);
        tracing::info!("lame duck: closing {count} connections");
        while self.is_lame_duck(shared) {
            let now = Instant::now();
            while next <= now {
                // From the worker that has most.
                let most = left.iter_mut().enumerate().max_by_key(|(_, left)| **left);
                let Some((worker, left @ 1..)) = most else {
                    // The last ones are closed when they have taken what waits for them.
                    return Ok(());
                };
                *left -= 1;
                shared.workers[worker].mailbox.send(Mail::LetGo);
                next += pace::pause(interval, fastrand::f64());
            }
            self.wait_until(next, shared, &mut upkeep)?;
        }
        Ok(())
    }

    /// Whether it has clients to be sent to other servers.
    fn is_lame_duck(&self, shared: &Shared) -> bool {
        self.wishes.greatest() == Wish::LameDuck && !shared.has_failed() && shared.connections() > 0
    }

    /// Waits until the time, until something is asked for, or for so long that it should
    /// be seen whether clients are left.
    fn wait_until(
        &mut self,
        time: Instant,
        shared: &Shared,
        upkeep: &mut Upkeep,
    ) -> Result<(), ServerError> {
        let rest = time.saturating_duration_since(Instant::now()).min(LOOK);
        let most = upkeep.look_after(shared).map_or(rest, |due| due.min(rest));
        self.wait(Some(most))
    }

    /// Has the workers drain, or stop if that is asked for by now or later. Returns when
    /// none of them is `alive`.
    fn drain(&mut self, shared: &Shared, alive: &AtomicUsize) -> Result<(), ServerError> {
        // A worker that has failed has the server drain without anybody's wish.
        self.wishes.add(Wish::Drain);
        if self.wishes.greatest() == Wish::Drain {
            tracing::info!("draining {} connections", shared.connections());
            shared.draining.store(true, Ordering::Relaxed);
            send_all(shared, || Mail::Drain);
        }
        let mut stopped = false;
        while alive.load(Ordering::SeqCst) > 0 {
            if self.wishes.greatest() == Wish::Stop && !stopped {
                tracing::info!("stopping with {} connections", shared.connections());
                shared.draining.store(true, Ordering::Relaxed);
                send_all(shared, || Mail::Stop);
                stopped = true;
            }
            self.wait(None)?;
        }
        Ok(())
    }

    /// Waits until something has changed, or until the time is over.
    fn wait(&mut self, most: Option<Duration>) -> Result<(), ServerError> {
        let mut events = Events::with_capacity(8);
        match self.poll.poll(&mut events, most) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled.map_err(system("wait for events")),
        }
    }
}

/// Sends the same to all workers.
pub(crate) fn send_all(shared: &Shared, mail: impl Fn() -> Mail) {
    for peer in &shared.workers {
        peer.mailbox.send(mail());
    }
}

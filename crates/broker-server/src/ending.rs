//! The shutdown of a server: from closing its ports until all workers have ended.

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

/// How often lame duck mode checks whether clients are left.
const LOOK: Duration = Duration::from_millis(100);

/// The acceptor's remains after it has closed the ports.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Handles and ending workers wake it.
    pub(crate) poll: Poll,
    /// Kept while the poll is used: closing the waker would lose its wake-ups.
    pub(crate) _waker: Arc<Waker>,
    pub(crate) wishes: Arc<Wishes>,
}

impl Ending {
    /// Shuts the server down as requested. Returns when no worker is `alive`.
    pub(crate) fn run(mut self, shared: &Shared, alive: &AtomicUsize) -> Result<(), ServerError> {
        self.lame_duck(shared)?;
        self.drain(shared, alive)
    }

    /// In lame duck mode, closes the clients' connections one by one, until none is left or a drain
    /// or stop is requested.
    fn lame_duck(&mut self, shared: &Shared) -> Result<(), ServerError> {
        if !self.is_lame_duck(shared) {
            return Ok(());
        }
        let config = &shared.config;
        let (duration, grace) = (config.lame_duck_duration, config.lame_duck_grace_period);
        tracing::info!(
            "lame duck mode: no new connections are accepted; closing {} connections after {} s",
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
        tracing::info!("lame duck mode: closing {count} connections");
        while self.is_lame_duck(shared) {
            let now = Instant::now();
            while next <= now {
                // Takes from the worker with the most connections.
                let most = left.iter_mut().enumerate().max_by_key(|(_, left)| **left);
                let Some((worker, left @ 1..)) = most else {
                    // The drain closes the last ones after writing their pending output.
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

    /// Returns whether lame duck mode has clients left.
    fn is_lame_duck(&self, shared: &Shared) -> bool {
        self.wishes.greatest() == Wish::LameDuck && !shared.has_failed() && shared.connections() > 0
    }

    /// Waits until the time, the next request, or the next check for remaining clients.
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

    /// Makes the workers drain, or stop if that is requested. Returns when no worker is `alive`.
    fn drain(&mut self, shared: &Shared, alive: &AtomicUsize) -> Result<(), ServerError> {
        // The failure of a worker starts a drain without a request.
        self.wishes.add(Wish::Drain);
        if self.wishes.greatest() == Wish::Drain {
            tracing::info!("draining {} connections", shared.connections());
            shared.draining.store(true, Ordering::Relaxed);
            send_all(shared, || Mail::Drain);
        }
        let mut stopped = false;
        while alive.load(Ordering::SeqCst) > 0 {
            if self.wishes.greatest() == Wish::Stop && !stopped {
                tracing::info!("stopping; closing {} connections", shared.connections());
                shared.draining.store(true, Ordering::Relaxed);
                send_all(shared, || Mail::Stop);
                stopped = true;
            }
            self.wait(None)?;
        }
        Ok(())
    }

    /// Waits for an event, or until the time is over.
    fn wait(&mut self, most: Option<Duration>) -> Result<(), ServerError> {
        let mut events = Events::with_capacity(8);
        match self.poll.poll(&mut events, most) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled.map_err(system("wait for events")),
        }
    }
}

/// Sends the same mail to all workers.
pub(crate) fn send_all(shared: &Shared, mail: impl Fn() -> Mail) {
    for peer in &shared.workers {
        peer.mailbox.send(mail());
    }
}

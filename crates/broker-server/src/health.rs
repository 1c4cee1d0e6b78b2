//! The health of the server.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// Longest healthy duration of a worker's round, which normally takes milliseconds.
const LONGEST_ROUND: Duration = Duration::from_secs(5);

/// The status that `/healthz` reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// The server is healthy.
    Ok,
    /// The server accepts no connections, and sends clients to other servers.
    LameDuck,
    /// The server is shutting down.
    Draining,
    /// A worker's round takes too long.
    Stuck {
        /// Its number.
        worker: usize,
    },
    /// A worker has panicked.
    Failed {
        /// Its number.
        worker: usize,
    },
}

impl Health {
    /// Derives the health: from the dead worker, if there is one; from the shutdown, if it has
    /// begun; and from the start of each worker's round, which is `None` while the worker sleeps.
    pub(crate) fn of(
        failed: Option<usize>,
        end: Option<Self>,
        rounds: impl IntoIterator<Item = Option<Duration>>,
    ) -> Self {
        let is_stuck = |round: Option<Duration>| round.is_some_and(|age| age > LONGEST_ROUND);
        if let Some(worker) = failed {
            Self::Failed { worker }
        } else if let Some(worker) = rounds.into_iter().position(is_stuck) {
            Self::Stuck { worker }
        } else {
            end.unwrap_or(Self::Ok)
        }
    }
}

impl Display for Health {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            // nats-server's text.
            Self::LameDuck => f.write_str("failed to be ready for connections after 1ms: server"),
            Self::Draining => f.write_str("the server is draining"),
            Self::Stuck { worker } => write!(
                f,
                "worker {worker} is stuck: its round began more than {} seconds ago",
                LONGEST_ROUND.as_secs()
            ),
            Self::Failed { worker } => write!(f, "worker {worker} has failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_follows_from_the_facts() {
        const ASLEEP: Option<Duration> = None;
        const SHORT: Option<Duration> = Some(Duration::from_millis(3));
        const LONGEST: Option<Duration> = Some(LONGEST_ROUND);
        const LONG: Option<Duration> = Some(Duration::from_millis(5001));
        for (failed, end, rounds, health) in [
            (None, None, &[][..], Health::Ok),
            (None, None, &[ASLEEP, SHORT, LONGEST], Health::Ok),
            (
                None,
                Some(Health::Draining),
                &[ASLEEP, SHORT],
                Health::Draining,
            ),
            (
                None,
                None,
                &[ASLEEP, LONG, LONG],
                Health::Stuck { worker: 1 },
            ),
            (None, Some(Health::LameDuck), &[ASLEEP], Health::LameDuck),
            (
                None,
                Some(Health::Draining),
                &[LONG],
                Health::Stuck { worker: 0 },
            ),
            (
                Some(2),
                None,
                &[ASLEEP, SHORT, ASLEEP],
                Health::Failed { worker: 2 },
            ),
            (
                Some(2),
                Some(Health::Draining),
                &[LONG, LONG, LONG],
                Health::Failed { worker: 2 },
            ),
        ] {
            let found = Health::of(failed, end, rounds.iter().copied());
            assert_eq!(found, health, "{failed:?} {end:?} {rounds:?}");
        }
    }
}

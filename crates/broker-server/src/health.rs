//! Whether the server serves.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// The longest that a worker may be busy with one round. A healthy round is a
/// matter of milliseconds.
const LONGEST_ROUND: Duration = Duration::from_secs(5);

/// What `/healthz` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// All is well.
    Ok,
    /// The server takes no connections any more, and sends clients to other servers.
    LameDuck,
    /// The server is about to end.
    Draining,
    /// A worker does not come round.
    Stuck {
        /// Its number.
        worker: usize,
    },
    /// A worker is dead.
    Failed {
        /// Its number.
        worker: usize,
    },
}

impl Health {
    /// Concludes it from facts: the worker that is dead, if one is; how the server
    /// ends, if it does; and for each worker how long ago its round began, or `None`
    /// while it sleeps.
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
            // As nats-server words it.
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

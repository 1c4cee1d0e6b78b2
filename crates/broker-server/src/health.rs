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
    /// Concludes it from facts: the worker that is dead, if one is; whether the
    /// server drains; and for each worker how long ago its round began, or `None`
    /// while it sleeps.
    pub(crate) fn of(
        failed: Option<usize>,
        draining: bool,
        rounds: impl IntoIterator<Item = Option<Duration>>,
    ) -> Self {
        let is_stuck = |round: Option<Duration>| round.is_some_and(|age| age > LONGEST_ROUND);
        if let Some(worker) = failed {
            Self::Failed { worker }
        } else if let Some(worker) = rounds.into_iter().position(is_stuck) {
            Self::Stuck { worker }
        } else if draining {
            Self::Draining
        } else {
            Self::Ok
        }
    }
}

impl Display for Health {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
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
        for (failed, draining, rounds, health) in [
            (None, false, &[][..], Health::Ok),
            (None, false, &[ASLEEP, SHORT, LONGEST], Health::Ok),
            (None, true, &[ASLEEP, SHORT], Health::Draining),
            (
                None,
                false,
                &[ASLEEP, LONG, LONG],
                Health::Stuck { worker: 1 },
            ),
            (None, true, &[LONG], Health::Stuck { worker: 0 }),
            (
                Some(2),
                false,
                &[ASLEEP, SHORT, ASLEEP],
                Health::Failed { worker: 2 },
            ),
            (
                Some(2),
                true,
                &[LONG, LONG, LONG],
                Health::Failed { worker: 2 },
            ),
        ] {
            let found = Health::of(failed, draining, rounds.iter().copied());
            assert_eq!(found, health, "{failed:?} {draining} {rounds:?}");
        }
    }
}

//! The delay before the next connection attempt to a hub.

use std::time::Duration;

/// Why there is no connection to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No address accepted a connection.
    Unreachable {
        /// How often all known addresses were tried without success.
        rounds: u32,
        /// Some addresses were not tried in this round.
        others: bool,
    },
    /// The connection was up, and the hub or the network ended it.
    Lost,
    /// The hub rejects the connection or is not a hub, and will do so again.
    Refused,
    /// There is a loop of leaf nodes, or another leaf node has the same name.
    Conflict,
}

/// The longest delay for an unreachable hub.
const LONGEST: Duration = Duration::from_secs(5);

/// Returns the delay. `random`, from 0 to 1, spreads the leaf nodes of a hub so they do not all
/// reconnect at once.
pub(crate) fn wait(cause: Cause, random: f64) -> Duration {
    let most = match cause {
        Cause::Unreachable { others: true, .. } => return Duration::ZERO,
        Cause::Unreachable { rounds, .. } => {
            let doubled = Duration::from_millis(100) * 2_u32.pow(rounds.saturating_sub(1).min(10));
            doubled.min(LONGEST)
        }
        Cause::Lost => Duration::from_millis(250),
        Cause::Refused => LONGEST,
        Cause::Conflict => Duration::from_secs(30),
    };
    // Between half of the delay and all of it.
    most.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_spread() {
        let unreachable = |rounds, others| Cause::Unreachable { rounds, others };
        for (cause, least, most) in [
            (unreachable(1, true), 0, 0),
            (unreachable(9, true), 0, 0),
            (unreachable(0, false), 50, 100),
            (unreachable(1, false), 50, 100),
            (unreachable(2, false), 100, 200),
            (unreachable(5, false), 800, 1600),
            (unreachable(7, false), 2500, 5000),
            (unreachable(u32::MAX, false), 2500, 5000),
            (Cause::Lost, 125, 250),
            (Cause::Refused, 2500, 5000),
            (Cause::Conflict, 15_000, 30_000),
        ] {
            let at = |random| wait(cause, random).as_millis();
            assert_eq!((at(0.0), at(1.0)), (least, most), "{cause:?}");
            assert!((least..=most).contains(&at(0.3)), "{cause:?}");
        }
    }
}

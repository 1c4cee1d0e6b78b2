//! How long to wait before a hub is dialled again.

use std::time::Duration;

/// Why there is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nobody was reached, at this many addresses in a row.
    Unreachable {
        /// How often each of the known addresses was tried in vain.
        rounds: u32,
        /// There are addresses left that were not tried in this round.
        others: bool,
    },
    /// It stood, and the hub or the network ended it.
    Lost,
    /// The hub does not want it as it is, or is no hub: it will say the same again.
    Refused,
    /// There is a loop of leaf nodes, or a name that another one has as well.
    Conflict,
}

/// The longest wait for a hub that is not reached.
const LONGEST: Duration = Duration::from_secs(5);

/// How long to wait, with `random` from 0 to 1 so that not all leaf nodes of a hub come
/// back at once.
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
    // From half of it to all.
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

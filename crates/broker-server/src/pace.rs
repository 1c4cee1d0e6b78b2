//! Which connections are closed, and when: in lame duck mode, as in nats-server, and when there are
//! too many.

use std::time::Duration;

/// Longest interval between two connections, so closing a few does not take minutes.
const LONGEST: Duration = Duration::from_secs(1);

/// Total time for all connections if the grace period leaves none.
const LEAST: Duration = Duration::from_secs(1);

/// Returns the interval at which this number of connections is closed: within `duration` after lame
/// duck mode began, and not before the end of its `grace` period.
pub(crate) fn interval(duration: Duration, grace: Duration, connections: usize) -> Duration {
    let mut rest = duration.saturating_sub(grace);
    if rest.is_zero() {
        rest = LEAST;
    }
    let connections = u32::try_from(connections).unwrap_or(u32::MAX).max(1);
    (rest / connections).min(LONGEST)
}

/// Returns the pause before the next connection. `random`, from 0 to 1, spreads the clients'
/// reconnects; the pause is at least half of the interval.
pub(crate) fn pause(interval: Duration, random: f64) -> Duration {
    interval.mul_f64(random).max(interval / 2)
}

/// Returns how many of its connections each worker closes, so at most `most` remain: always the
/// worker with the most connections closes one.
pub(crate) fn excess(connections: &[usize], most: usize) -> Vec<usize> {
    let total: usize = connections.iter().sum();
    let mut left = connections.to_vec();
    for _ in most..total {
        if let Some(fullest) = left.iter_mut().max() {
            *fullest -= 1;
        }
    }
    let counts = connections.iter().zip(left);
    counts.map(|(before, after)| before - after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_workers_close_connections() {
        for (connections, most, expected) in [
            (&[][..], 1, &[][..]),
            (&[0, 0], 1, &[0, 0]),
            (&[2, 3], 5, &[0, 0]),
            (&[2, 3], 4, &[0, 1]),
            (&[2, 9], 4, &[0, 7]),
            (&[2, 9, 3], 3, &[1, 8, 2]),
            (&[4, 4], 0, &[4, 4]),
        ] {
            assert_eq!(
                excess(connections, most),
                expected,
                "{connections:?} {most}"
            );
        }
    }

    #[test]
    fn connections_are_spread_over_the_available_time() {
        let milliseconds = Duration::from_millis;
        for (duration, grace, connections, expected) in [
            (120_000, 10_000, 1, milliseconds(1000)),
            (120_000, 10_000, 110, milliseconds(1000)),
            (120_000, 10_000, 220, milliseconds(500)),
            (120_000, 10_000, 11_000, milliseconds(10)),
            (120_000, 10_000, 110_000, milliseconds(1)),
            (120_000, 10_000, 0, milliseconds(1000)),
            (10_000, 10_000, 10, milliseconds(100)),
            (10_000, 20_000, 10, milliseconds(100)),
            (1, 0, 1_000_000, Duration::from_nanos(1)),
            (1, 0, usize::MAX, Duration::ZERO),
        ] {
            let found = interval(milliseconds(duration), milliseconds(grace), connections);
            assert_eq!(found, expected, "{duration} {grace} {connections}");
        }
    }

    #[test]
    fn a_pause_is_from_half_of_the_interval_to_all_of_it() {
        let interval = Duration::from_millis(800);
        for (random, expected) in [(0.0, 400), (0.3, 400), (0.5, 400), (0.75, 600), (1.0, 800)] {
            assert_eq!(pause(interval, random), Duration::from_millis(expected));
        }
        assert_eq!(pause(Duration::ZERO, 0.7), Duration::ZERO);
    }
}

//! The loads.

use crate::matrix::{ChoiceError, choose};

/// A load and what is compared under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Arguments of the load generator.
    pub(crate) arguments: &'static str,
    /// Whether to compare latencies at half of nats-server's maximum rate, instead
    /// of maximum rates.
    pub(crate) at_half_load: bool,
    /// The way of the messages.
    pub(crate) route: Route,
}

/// The way of a load's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Through the server.
    Local,
    /// From the server, which is a leaf node, to its hub.
    ToHub,
    /// From the hub to the server.
    FromHub,
}

impl Scenario {
    /// Returns whether one client publishes to one subscriber, with any payload size.
    pub(super) fn is_one_to_one(&self) -> bool {
        let size = self.arguments.strip_prefix("--size ");
        self.route == Route::Local && size.is_some_and(|size| !size.contains(' '))
    }
}

const fn throughput(name: &'static str, arguments: &'static str) -> Scenario {
    Scenario {
        name,
        arguments,
        at_half_load: false,
        route: Route::Local,
    }
}

const fn latency(name: &'static str, arguments: &'static str) -> Scenario {
    Scenario {
        at_half_load: true,
        ..throughput(name, arguments)
    }
}

const fn across(route: Route, scenario: Scenario) -> Scenario {
    Scenario { route, ..scenario }
}

/// All loads.
pub(super) const SCENARIOS: [Scenario; 17] = [
    throughput("1 to 1, 16 B", "--size 16"),
    throughput("1 to 1, 128 B", "--size 128"),
    throughput("1 to 1, 1 KiB", "--size 1024"),
    throughput("1 to 1, 8 KiB", "--size 8192"),
    throughput("1 to 10, 128 B", "--subscribers 10"),
    throughput("10 to 10, 128 B", "--publishers 10 --subscribers 10"),
    throughput(
        "10 pairs, 128 B",
        "--publishers 10 --subscribers 10 --subjects 10",
    ),
    throughput("queue group of 4, 128 B", "--subscribers 4 --queue group"),
    throughput("request-reply, 10 at a time", "--request --publishers 10"),
    throughput(
        "request-reply, 128 at a time",
        "--request --publishers 4 --outstanding 32",
    ),
    latency("1 to 1, 16 B, half load", "--size 16"),
    latency("1 to 1, 1 KiB, half load", "--size 1024"),
    latency("1 to 10, 128 B, half load", "--subscribers 10"),
    latency("request-reply, half load", "--request --publishers 10"),
    across(
        Route::ToHub,
        throughput("leaf node to hub, 128 B", "--size 128"),
    ),
    across(
        Route::FromHub,
        throughput("hub to leaf node, 128 B", "--size 128"),
    ),
    across(
        Route::ToHub,
        latency(
            "request-reply from leaf node to hub, half load",
            "--request --publishers 10",
        ),
    ),
];

/// Returns the loads with these names, or all if no names are given.
pub(crate) fn select(names: &[String]) -> Result<Vec<Scenario>, ChoiceError> {
    let commas = " (names contain commas, so give --scenarios once for each)";
    choose("load", &SCENARIOS, |one| one.name, names, commas)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_to_one_is_what_is_named_so() {
        for scenario in SCENARIOS {
            let named = scenario.name.starts_with("1 to 1,");
            assert_eq!(scenario.is_one_to_one(), named, "{}", scenario.name);
        }
    }

    #[test]
    fn names_differ() {
        let names: BTreeSet<_> = SCENARIOS.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
